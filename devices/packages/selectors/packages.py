"""Packages, from what a person may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet, Sum

from accounts import tenancy
from accounts.models import Operator
from devices.packages.models import Package

VIEW, ADD = "packages.view_package", "packages.add_package"


def visible_packages(user: Any) -> QuerySet[Package]:
    allowed = tenancy.operator_ids(user, VIEW)
    rows = Package.objects.select_related("operator")
    return rows if allowed is None else rows.filter(operator__in=allowed)


def operators_to_upload_for(user: Any) -> QuerySet[Operator]:
    """Where the person's role lets them upload."""
    allowed = tenancy.operator_ids(user, ADD)
    rows = Operator.objects.order_by("name")
    return rows if allowed is None else rows.filter(pk__in=allowed)


def found(rows: QuerySet[Package], words: str) -> QuerySet[Package]:
    """By part of the name or the file's name, or by the beginning of the digest."""
    return rows.filter(Q(name__icontains=words) | Q(file__icontains=words) | Q(sha256__istartswith=words))


def held_bytes(operator_id: int) -> int:
    """How much an operator keeps."""
    return Package.objects.filter(operator_id=operator_id).aggregate(held=Sum("size"))["held"] or 0

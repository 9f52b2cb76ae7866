"""Object definitions that were loaded, from what a person may see: their operators' and those for all."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import tenancy
from accounts.models import Operator
from devices.inventory.models import ObjectDefinition

VIEW, ADD = "inventory.view_objectdefinition", "inventory.add_objectdefinition"
_PATH = re.compile(r"/?([0-9]{1,5})/?\Z", re.ASCII)

BANDS = {
    "oma": (_("OMA, 0–1023"), 0, 1023),
    "external": (_("Other organisations, 2048–10240"), 2048, 10240),
    "vendor": (_("Vendors, 10241–32768"), 10241, 32768),
    "unregistered": (_("Not registered, above 32768"), 32769, 65535),
}
"""Who gives out the numbers: the classes of the OMA LwM2M Object and Resource Registry."""


def visible_definitions(user: Any) -> QuerySet[ObjectDefinition]:
    """What is loaded for all operators reads the devices of each, so the staff of each may look at it."""
    allowed = tenancy.operator_ids(user, VIEW)
    rows = ObjectDefinition.objects.select_related("operator")
    if allowed is None:
        return rows
    if not allowed:
        return rows.none()
    return rows.filter(Q(operator__in=allowed) | Q(operator=None))


def operators_to_load_for(user: Any) -> QuerySet[Operator]:
    """Where the person's role lets them load and replace; None, for all operators, is for superusers beside."""
    allowed = tenancy.operator_ids(user, ADD)
    rows = Operator.objects.order_by("name")
    return rows if allowed is None else rows.filter(pk__in=allowed)


def found(rows: QuerySet[ObjectDefinition], words: str) -> QuerySet[ObjectDefinition]:
    """By part of the object's or the file's name, or by the object's number as in 3303 or /3303."""
    by_name = Q(name__icontains=words) | Q(source__icontains=words)
    number = _PATH.match(words.strip())
    return rows.filter(by_name | Q(object_id=int(number[1])) if number else by_name)


def in_band(rows: QuerySet[ObjectDefinition], band: str) -> QuerySet[ObjectDefinition]:
    _, low, high = BANDS[band]
    return rows.filter(object_id__range=(low, high))

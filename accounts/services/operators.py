"""Operators, the tenants: create and change. What a new one needs for devices is provisioning's to add."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger, locks
from audit.actions import Action

CHANGEABLE = ("name", "description", "support_email", "is_active", "is_open_for_signup", "allows_nosec")


def create(
    *,
    slug: str,
    name: str,
    description: str = "",
    support_email: str = "",
    is_open_for_signup: bool = True,
    allows_nosec: bool = False,
) -> Operator:
    """A new operator; Refused when the slug or the name is taken."""
    with ledger.unit_of_work():
        _check_free(slug, name)
        try:
            with transaction.atomic():
                operator = Operator.objects.create(
                    slug=slug,
                    name=name,
                    description=description,
                    support_email=support_email,
                    is_open_for_signup=is_open_for_signup,
                    allows_nosec=allows_nosec,
                )
        except IntegrityError:  # somebody was faster between the look and the write
            _check_free(slug, name)
            raise
        ledger.record(
            action=Action.OPERATOR_CREATED,
            operator_id=operator.pk,
            target=f"operator:{slug}",
            after={"slug": slug, **{field: getattr(operator, field) for field in CHANGEABLE}},
        )
    return operator


def _check_free(slug: str, name: str) -> None:
    if Operator.objects.filter(slug=slug).exists():
        raise Refused("OPERATOR_SLUG_TAKEN", field="slug", slug=slug)
    if Operator.objects.filter(name=name).exists():
        raise Refused("OPERATOR_NAME_TAKEN", field="name", name=name)


def change(*, operator: Operator, changes: dict[str, Any]) -> Operator:
    """Set some of CHANGEABLE and record what became different; the slug stays what it was."""
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"an operator's {', '.join(sorted(unknown))} cannot be changed")
    with ledger.unit_of_work():
        row = locks.rows(Operator.objects).get(pk=operator.pk)
        changed = {field: value for field, value in changes.items() if getattr(row, field) != value}
        if not changed:
            return row
        before = {field: getattr(row, field) for field in changed}
        for field, value in changed.items():
            setattr(row, field, value)
        row.save(update_fields=list(changed))
        ledger.record(
            action=Action.OPERATOR_CHANGED,
            operator_id=row.pk,
            target=f"operator:{row.slug}",
            before=before,
            after=changed,
        )
    return row

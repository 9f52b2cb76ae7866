"""People themselves: what they change about themselves, and what a superuser may change about anybody."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from accounts import events
from accounts.errors import Refused
from accounts.models import User
from accounts.services import staff, tokens
from audit import ledger, locks
from audit.actions import Action

CHANGEABLE = ("name", "is_active", "is_superuser")


def change(*, user: User, changes: dict[str, Any]) -> User:
    """Set some of CHANGEABLE; who is not active loses API tokens. Refused for the last superuser, and for
    an operator's last administrator who would be switched off.
    """
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"a person's {', '.join(sorted(unknown))} cannot be changed")
    with ledger.unit_of_work():
        row = _locked(user, changes)
        changed = {field: value for field, value in changes.items() if getattr(row, field) != value}
        if not changed:
            return row
        before = {field: getattr(row, field) for field in changed}
        _keep_a_superuser(row, changed)
        if changed.get("is_active") is False:
            staff.keep_administrators(row)
        for field, value in changed.items():
            setattr(row, field, value)
        row.is_staff = row.is_superuser or row.staffmembership_set.exists()
        row.save(update_fields=[*changed, "is_staff"])
        if not row.is_active:
            tokens.end_all(user=row)
            events.signed_off(row.pk)
        said = [field for field in changed if field != "name"]
        ledger.record(
            action=Action.USER_CHANGED,
            operator_id=None,
            target=f"user:{row.pk}",
            before={field: before[field] for field in said},
            after={field: changed[field] for field in said},
            detail={"fields": sorted(changed)},
            personal={"email": row.email},
            subject=f"user:{row.pk}",
        )
    return row


def rename(*, user: User, name: str) -> None:
    """The name is personal data: it stands in the ledger where it can be erased."""
    with ledger.unit_of_work():
        row = locks.rows(User.objects).get(pk=user.pk)
        if row.name == name:
            return
        row.name = name
        row.save(update_fields=["name"])
        ledger.record(
            action=Action.USER_RENAMED,
            operator_id=None,
            target=f"user:{row.pk}",
            personal={"name": name} if name else None,
            subject=f"user:{row.pk}",
        )


def _locked(user: User, changes: dict[str, Any]) -> User:
    """Whoever might be the last of their kind is changed one after the other: two cannot switch each other off."""
    ends = changes.get("is_active") is False or changes.get("is_superuser") is False
    wanted = Q(pk=user.pk) | Q(is_superuser=True, is_active=True) if ends else Q(pk=user.pk)
    found = {row.pk: row for row in locks.rows(User.objects.filter(wanted).order_by("pk"))}
    if ends:
        staff.lock_operators_of(user)
    return found[user.pk]


def _keep_a_superuser(user: User, changed: dict[str, Any]) -> None:
    if changed.get("is_superuser") is False or changed.get("is_active") is False:
        keep_a_superuser(user)


def keep_a_superuser(user: User) -> None:
    """Refused when there would be none without this person."""
    is_one = user.is_superuser and user.is_active
    if is_one and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists():
        raise Refused("LAST_SUPERUSER")

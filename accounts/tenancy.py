"""Whose row is it, and may this person do that there: the questions behind every list and every button.

A permission is Django's `app.verb_model`; the table in `accounts/roles.py` answers it for an operator.
A row of no operator (a knock nobody can be named for) belongs to the platform: superusers only.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from accounts.models import Operator
from accounts.roles import PERMISSIONS

# Rows without an operator of their own belong to the operator of the one thing they hang on.
_HANGS_ON = ("device", "job", "session", "subscriber")


def _works_here(user: Any) -> bool:
    return bool(user is not None and user.is_authenticated and user.is_active and user.is_staff)


def operator_ids(user: Any, *permissions: str) -> set[int] | None:
    """Operators where the role gives one of `permissions` (any role when none is named); None: all."""
    if not _works_here(user):
        return set()
    if user.is_superuser:
        return None
    roles = user.roles()
    if not permissions:
        return set(roles)
    return {
        operator_id for operator_id, role in roles.items() if not PERMISSIONS[role].isdisjoint(permissions)
    }


def may(user: Any, permission: str, operator_id: int | None) -> bool:
    """Whether the person's role with that operator gives the permission."""
    allowed = operator_ids(user, permission)
    return allowed is None or (operator_id is not None and operator_id in allowed)


def operator_id_of(row: Model | None, path: str = "") -> int | None:
    """The id of the operator a row belongs to, along `path` (`device__operator`) or by what it hangs on."""
    if path:
        *hops, last = path.split("__")
        for hop in hops:
            row = getattr(row, hop, None)
        return None if row is None else _column(row, last)
    while row is not None:
        if isinstance(row, Operator):
            return int(row.pk)
        if hasattr(row, "operator_id"):
            operator_id: int | None = row.operator_id
            return operator_id
        row = next((getattr(row, name) for name in _HANGS_ON if hasattr(row, name)), None)
    return None


def _column(row: Model, name: str) -> int | None:
    try:
        column = "pk" if name == "pk" else getattr(row._meta.get_field(name), "attname", name)
    except FieldDoesNotExist:
        column = name
    found: int | None = getattr(row, column)
    return found

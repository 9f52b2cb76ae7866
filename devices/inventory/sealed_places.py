"""Walks rows with sealed values, and where this room's lie in the database: keys of devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from audit import locks
from devices.inventory import vault
from devices.inventory.models import Credential

BATCH = 500
Row = TypeVar("Row", bound=Model)


def walk_rows(rows: QuerySet[Row], column: str, change: Callable[[Row], object]) -> None:
    """Give each row's new value for a column, and write those that are new, some hundred rows at a time."""
    last: object = None
    while True:
        with transaction.atomic():
            page = rows.order_by("pk") if last is None else rows.order_by("pk").filter(pk__gt=last)
            batch = list(locks.rows(page)[:BATCH])
            for row in batch:
                value = change(row)
                if value != getattr(row, column):
                    type(row)._default_manager.filter(pk=row.pk).update(**{column: value})
        if not batch:
            return
        last = batch[-1].pk


def _keys(visit: vault.Visit) -> None:
    walk_rows(Credential.objects.all(), "sealed", lambda row: visit(row.sealed))


KEYS = vault.Place("keys of devices", ("devices.inventory.services.credentials", "bench.seed"), _keys)

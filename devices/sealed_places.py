"""Where this room's sealed values lie in the database: keys of devices, passwords of SMSC links, commands that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from audit import locks
from devices import secrecy, vault
from devices.messaging import SmscLink
from devices.models import Command, Credential

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
    walk_rows(Credential.objects.all(), "sealed_key", lambda row: visit(row.sealed_key))


def _passwords(visit: vault.Visit) -> None:
    rows = SmscLink.objects.exclude(sealed_password="")
    walk_rows(rows, "sealed_password", lambda row: visit(row.sealed_password))


def _commands(visit: vault.Visit) -> None:
    """Also those that ended: they keep what they said."""
    rows = Command.objects.filter(Q(arguments__has_key="value") | Q(arguments__has_key="values"))
    walk_rows(rows, "arguments", lambda row: secrecy.revisited(row.arguments, visit))


def places() -> Iterator[vault.Place]:
    yield vault.Place("keys of devices", ("devices.services.credentials", "bench.seed"), _keys)
    yield vault.Place("passwords of SMSC links", ("devices.services.smsc_links",), _passwords)
    yield vault.Place("secrets in commands", ("devices.secrecy",), _commands)

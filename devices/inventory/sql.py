"""How the registration store speaks to its two databases: membership tests, planned statements, times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection

SQLITE_PARAMETERS = 500
PREPARE_AFTER = 2


def from_epoch(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def to_epoch(value: Any) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, str):  # SQLite keeps UTC as text
        value = datetime.fromisoformat(value)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return float(value.timestamp())


def stored(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def select(sql: str, ids: Sequence[Any], *, lock: str = "") -> list[tuple[Any, ...]]:
    """Run `sql` with `{ids}` as a membership test and `{lock}` where the database knows row locks."""
    if connection.vendor == "postgresql":
        return prepared(sql.format(ids="= ANY(%s)", lock=lock), [list(ids)])
    rows: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for part in parts(ids):
            places = ", ".join(["%s"] * len(part))
            cursor.execute(sql.format(ids=f"IN ({places})", lock=""), part)
            rows += cursor.fetchall()
    return rows


def prepared(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement that the server keeps planned: planning a batch's SELECT costs as much as running it.

    Django's own cursors put the values into the text, so each batch would be planned anew.
    """
    connection.ensure_connection()
    raw = connection.connection
    assert raw is not None
    raw.prepare_threshold = PREPARE_AFTER  # Django's default is never; its cursors do not look at it
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description is not None else []


def parts(ids: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(ids), SQLITE_PARAMETERS):
        yield list(ids[start : start + SQLITE_PARAMETERS])

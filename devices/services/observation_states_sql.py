"""The statement that notes notifications, on its two databases: of each observation the newest one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from devices.services import registration_store_sql as sql

Row = tuple[int, str, int | None]
"""observation id, token, number; sorted, and each observation once."""

_POSTGRESQL = """
    UPDATE devices_observation AS o
    SET last_notified_at = %s, notified_number = coalesce(u.number, o.notified_number)
    FROM unnest(%s::bigint[], %s::text[], %s::int[]) AS u(id, token, number)
    WHERE o.id = u.id AND o.token = u.token
"""
_SQLITE = """
    UPDATE devices_observation SET last_notified_at = %s, notified_number = coalesce(%s, notified_number)
    WHERE id = %s AND token = %s
"""


def notified(rows: Sequence[Row], *, now: datetime) -> None:
    if connection.vendor == "postgresql":
        sql.prepared(_POSTGRESQL, [now, *(list(column) for column in zip(*rows, strict=True))])
        return
    at = sql.stored(now)
    with connection.cursor() as cursor:
        cursor.executemany(_SQLITE, [(at, number, pk, token) for pk, token, number in rows])

"""The statements of the value store, on its two databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from devices.inventory import sql

Row = tuple[int, str, float, str, float | None, str | None]
"""device id, path, seconds since 1970, kind, number, text; sorted, and each (…, time) once."""

_NOT_IN_HISTORY = ("e", "h")

# A late value has to find its row as well, so the row is written either way, with what it held where that is newer.
_NEWER = ", ".join(
    f"{name} = CASE WHEN excluded.at >= v.at THEN excluded.{name} ELSE v.{name} END"
    for name in ("kind", "number", "text", "at", "received_at")
)
_REPLACED = "kind = excluded.kind, number = excluded.number, text = excluded.text"
_STORE = f"""
    WITH s AS MATERIALIZED (
        SELECT device_id, path, to_timestamp(at) AS at, kind, number, text, newest
        FROM unnest(%s::bigint[], %s::text[], %s::float8[], %s::text[], %s::float8[], %s::text[],
                    %s::boolean[]) AS u(device_id, path, at, kind, number, text, newest)
    ), latest AS (
        INSERT INTO telemetry_resourcevalue AS v (device_id, path, kind, number, text, at, received_at)
        SELECT device_id, path, kind, number, text, at, %s FROM s WHERE newest
        ON CONFLICT (device_id, path) DO UPDATE SET {_NEWER}
        RETURNING v.id, v.device_id, v.path, v.xmax = 0 AS is_new
    ), history AS (
        INSERT INTO telemetry_resourcehistory (value_id, at, kind, number, text)
        SELECT latest.id, s.at, s.kind, s.number, s.text
        FROM s JOIN latest USING (device_id, path) WHERE s.kind <> 'e' AND s.kind <> 'h'
        ON CONFLICT (value_id, at) DO UPDATE SET {_REPLACED}
    )
    SELECT device_id, path FROM latest WHERE is_new
"""  # noqa: S608 our own names
_LATEST_SQLITE = f"""
    INSERT INTO telemetry_resourcevalue AS v (device_id, path, at, kind, number, text, received_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (device_id, path) DO UPDATE SET {_NEWER}
"""  # noqa: S608 our own names
_NEWEST_ID_SQLITE = "SELECT COALESCE(MAX(id), 0) FROM telemetry_resourcevalue"
_NEW_SQLITE = "SELECT device_id, path FROM telemetry_resourcevalue WHERE id > %s"
_HISTORY_SQLITE = f"""
    INSERT INTO telemetry_resourcehistory (value_id, at, kind, number, text)
    SELECT id, %s, %s, %s, %s FROM telemetry_resourcevalue WHERE device_id = %s AND path = %s
    ON CONFLICT (value_id, at) DO UPDATE SET {_REPLACED}
"""  # noqa: S608 our own names


def write(rows: Sequence[Row], *, now: datetime) -> list[tuple[int, str]]:
    """Latest values and history of these rows, in few statements; returns (device id, path) of what was not known."""
    if not rows:
        return []
    if connection.vendor == "postgresql":
        columns = [list(column) for column in zip(*rows, strict=True)]
        return [(device_id, path) for device_id, path in sql.prepared(_STORE, [*columns, _newest(rows), now])]
    stored_now = sql.stored(now)
    times = [sql.stored(sql.from_epoch(row[2])) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_ID_SQLITE)
        (newest_id,) = cursor.fetchone()
        cursor.executemany(
            _LATEST_SQLITE,
            [
                (*row[:2], at, *row[3:], stored_now)
                for row, at, is_newest in zip(rows, times, _newest(rows), strict=True)
                if is_newest
            ],
        )
        cursor.executemany(
            _HISTORY_SQLITE,
            [
                (at, *row[3:], *row[:2])
                for row, at in zip(rows, times, strict=True)
                if row[3] not in _NOT_IN_HISTORY
            ],
        )
        cursor.execute(_NEW_SQLITE, [newest_id])  # one connection writes at a time
        return [(device_id, path) for device_id, path in cursor.fetchall()]


def _newest(rows: Sequence[Row]) -> list[bool]:
    """Of each resource the last of its rows, which are sorted by time."""
    following = [row[:2] for row in rows[1:]]
    return [here[:2] != after for here, after in zip(rows, [*following, None], strict=True)]

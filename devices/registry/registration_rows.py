"""Writes the hot registration rows of a whole batch: refreshed, whole, or ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from devices.inventory import sql
from lwm2m.registration import Registration

_COLUMNS = {
    "device_id": "bigint",
    "registration_id": "text",
    "transport": "text",
    "identity": "text",
    "host": "text",
    "port": "bigint",
    "lifetime_seconds": "bigint",
    "queue_mode": "boolean",
    "registered_at": "float8",
    "last_seen_at": "float8",
    "expires_at": "float8",
    "register_digest": "bigint",
}
_TIMES = ("registered_at", "last_seen_at", "expires_at")


def refresh(expiries: dict[int, float | None], *, flow: str, now: datetime) -> None:
    """Write what a plain lifetime refresh changes: seen, expiry, and the flow it came through."""
    ids = sorted(expiries)
    if not ids:
        return
    if connection.vendor == "postgresql":
        sql.prepared(
            """UPDATE registry_registration r
               SET last_seen_at = %s, flow = %s, expires_at = to_timestamp(v.expires_at)
               FROM unnest(%s::bigint[], %s::float8[]) AS v(device_id, expires_at)
               WHERE r.device_id = v.device_id""",
            [now, flow, ids, [expiries[device_id] for device_id in ids]],
        )
        return
    seen = sql.stored(now)
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE registry_registration SET last_seen_at = %s, flow = %s, expires_at = %s WHERE device_id = %s",
            [(seen, flow, sql.stored(sql.from_epoch(expiries[device_id])), device_id) for device_id in ids],
        )


def save(rows: dict[int, Registration], *, digests: dict[int, int | None], flow: str) -> None:
    """Write whole registration rows, new or changed; `digests` are of the Register messages behind them."""
    names = ", ".join(_COLUMNS)
    changed = ", ".join(f"{name} = excluded.{name}" for name in [*list(_COLUMNS)[1:], "is_live", "flow"])
    values = [_values(device_id, rows[device_id], digests[device_id]) for device_id in sorted(rows)]
    if connection.vendor == "postgresql":
        taken = ", ".join(f"to_timestamp(v.{name})" if name in _TIMES else f"v.{name}" for name in _COLUMNS)
        arrays = ", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())
        sql.prepared(
            f"INSERT INTO registry_registration ({names}, is_live, flow) "  # noqa: S608 our own names
            f"SELECT {taken}, true, %s FROM unnest({arrays}) AS v({names}) "
            f"ON CONFLICT (device_id) DO UPDATE SET {changed}",
            [flow, *(list(column) for column in zip(*values, strict=True))],
        )
        return
    places = ", ".join(["%s"] * (len(_COLUMNS) + 2))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO registry_registration ({names}, is_live, flow) VALUES ({places}) "  # noqa: S608 our own names
            f"ON CONFLICT (device_id) DO UPDATE SET {changed}",
            [
                (*row[:-4], *(sql.stored(sql.from_epoch(time)) for time in row[-4:-1]), row[-1], True, flow)
                for row in values
            ],
        )


def end(device_ids: Iterable[int]) -> None:
    """These registrations are no longer live; the row stays as the last one."""
    ids = sorted(device_ids)
    for part in sql.parts(ids):
        places = ", ".join(["%s"] * len(part))
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE registry_registration SET is_live = %s WHERE device_id IN ({places})",  # noqa: S608
                [False, *part],
            )


def _values(device_id: int, row: Registration, digest: int | None) -> tuple[Any, ...]:
    """In the order of `_COLUMNS`."""
    return (
        device_id,
        row.registration_id,
        row.origin.transport,
        row.origin.identity or "",
        row.origin.host,
        row.origin.port,
        row.lifetime_seconds,
        row.queue_mode,
        row.registered_at,
        row.last_seen_at,
        row.expires_at,
        digest,
    )

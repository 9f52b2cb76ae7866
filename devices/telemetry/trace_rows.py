"""The statements of the trace, on its two databases: counters first, then each message into its slot of the ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from devices.inventory import sql

Row = tuple[int, int, datetime, str, str, str, str, int | None, str | None, int, float | None]
"""device id, how many messages of the batch follow, at, direction, method, path, code, format, payload, bytes, ms."""

_COLUMNS = "at, direction, method, path, code, content_format, payload, payload_bytes, duration_ms"
_CAST = _COLUMNS.replace("payload,", "payload::jsonb,")
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name in ("number", *_COLUMNS.split(", ")))
_HEADS = """
    INSERT INTO telemetry_tracehead AS h (device_id, count) {values}
    ON CONFLICT (device_id) DO UPDATE SET count = h.count + excluded.count
"""
_INTO = f"INSERT INTO telemetry_tracemessage (device_id, slot, number, {_COLUMNS})"
_ON = f"ON CONFLICT (device_id, slot) DO UPDATE SET {_REPLACED}"
_POSTGRESQL = f"""
    WITH heads AS ({_HEADS.format(values="SELECT * FROM unnest(%s::bigint[], %s::bigint[])")}
        RETURNING h.device_id, h.count)
    {_INTO} SELECT device_id, mod(heads.count - m.behind, %s), heads.count - m.behind, {_CAST}
    FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::int[], %s::text[], %s::int[], %s::float8[]) AS m(device_id, behind, {_COLUMNS})
    JOIN heads USING (device_id) ORDER BY device_id, behind DESC {_ON}
"""  # noqa: S608 our own names
_SQLITE = (
    f"{_INTO} SELECT device_id, (count - %s) %% %s, count - %s, %s, %s, %s, %s, %s, %s, %s, %s, %s "  # noqa: S608
    f"FROM telemetry_tracehead WHERE device_id = %s {_ON}"
)


def write(counts: Mapping[int, int], rows: Sequence[Row], limit: int) -> None:
    """`counts` is sorted by device; of a device with more than `limit` messages `rows` has the last."""
    if connection.vendor == "postgresql":
        columns = [list(column) for column in zip(*rows, strict=True)]
        sql.prepared(_POSTGRESQL, [list(counts), list(counts.values()), limit, *columns])
        return
    with connection.cursor() as cursor:
        cursor.executemany(_HEADS.format(values="VALUES (%s, %s)"), list(counts.items()))
        cursor.executemany(
            _SQLITE,
            [
                (behind, limit, behind, sql.stored(at), *rest, device_id)
                for device_id, behind, at, *rest in rows
            ],
        )

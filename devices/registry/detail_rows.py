"""What devices said at Register: the statements, on their two databases."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from devices.inventory import sql

Row = tuple[int, str, str, str, str, str]
"""device id, version, binding, SMS number, object links and attributes as JSON."""

_COLUMNS = {
    "device_id": "bigint",
    "version": "text",
    "binding": "text",
    "sms_number": "text",
    "object_links": "text",
    "attributes": "text",
}
_JSON = ("object_links", "attributes")


def load(device_ids: Sequence[int]) -> Sequence[Row]:
    if not device_ids:
        return ()
    text = "::text" if connection.vendor == "postgresql" else ""
    statement = f"""SELECT device_id, version, binding, sms_number, object_links{text}, attributes{text}
             FROM registry_registrationdetail WHERE device_id {{ids}}"""  # noqa: S608 our own words
    return sql.select(statement, device_ids)


def save(rows: Sequence[Row]) -> None:
    """Write whole rows, sorted by device; what ended before has begun anew."""
    if not rows:
        return
    changed = ", ".join(f"{name} = excluded.{name}" for name in list(_COLUMNS)[1:])
    names = ", ".join(_COLUMNS)
    target = f"INSERT INTO registry_registrationdetail ({names}, ended_at, end_cause)"
    conflict = f"ON CONFLICT (device_id) DO UPDATE SET {changed}, ended_at = NULL, end_cause = ''"
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())
        taken = ", ".join(f"{name}::jsonb" if name in _JSON else name for name in _COLUMNS)
        sql.prepared(
            f"{target} SELECT {taken}, NULL, '' FROM unnest({arrays}) AS v({names}) {conflict}",  # noqa: S608 our names
            [list(column) for column in zip(*rows, strict=True)],
        )
        return
    places = ", ".join(["%s"] * len(_COLUMNS))
    with connection.cursor() as cursor:
        cursor.executemany(f"{target} VALUES ({places}, NULL, '') {conflict}", rows)

"""The statements of notifications, on their two databases: what they are about, and of each observation the newest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from devices.inventory import sql

Row = tuple[int, str, int | None]
"""observation id, token, number; sorted, and each observation once."""

Standing = tuple[int, str, int, int, str, bool, int | None, Any]
"""carrier id, token, observation id, device id, paths as JSON, is composite, number, when it was heard."""

_LATEST = "CASE WHEN o.last_notified_at > o.established_at THEN o.last_notified_at ELSE o.established_at END"
_STANDING = f"""
    SELECT u.carrier, o.token, o.id, o.device_id, CAST(o.paths AS text), o.is_composite, o.notified_number,
           EXTRACT(EPOCH FROM {_LATEST})::float8
    FROM unnest(%s::bigint[], %s::text[]) AS u(carrier, token)
    {{via}}
    JOIN registry_registration r ON r.device_id = u.carrier AND r.is_live AND r.registration_id = o.registration_id
    WHERE o.state = 'active'
"""  # noqa: S608 our own names
_STANDING_SQLITE = f"""
    SELECT {{carrier}}, o.token, o.id, o.device_id, o.paths, o.is_composite, o.notified_number, {_LATEST}
    FROM observations_observation o {{via}}
    JOIN registry_registration r ON r.device_id = {{carrier}} AND r.is_live AND r.registration_id = o.registration_id
    WHERE o.state = 'active' AND ({{carrier}}, o.token) IN (VALUES {{places}})
"""  # noqa: S608 our own names
_POSTGRESQL = """
    UPDATE observations_observation AS o
    SET last_notified_at = %s, notified_number = coalesce(u.number, o.notified_number)
    FROM unnest(%s::bigint[], %s::text[], %s::int[]) AS u(id, token, number)
    WHERE o.id = u.id AND o.token = u.token
"""
_SQLITE = """
    UPDATE observations_observation SET last_notified_at = %s, notified_number = coalesce(%s, notified_number)
    WHERE id = %s AND token = %s
"""


def standing(keys: Sequence[tuple[int, str]]) -> list[Standing]:
    """The active observations of live registrations by (device id, token)."""
    via = "JOIN observations_observation o ON o.device_id = u.carrier AND o.token = u.token"
    return _standing(keys, via=via, via_sqlite="", carrier="o.device_id")


def standing_through(keys: Sequence[tuple[int, str]]) -> list[Standing]:
    """Those on end devices by (gateway id, token)."""
    join = "JOIN inventory_device d ON d."
    via = (
        f"{join}via_id = u.carrier "
        "JOIN observations_observation o ON o.device_id = d.id AND o.token = u.token"
    )
    return _standing(keys, via=via, via_sqlite=f"{join}id = o.device_id", carrier="d.via_id")


def _standing(keys: Sequence[tuple[int, str]], *, via: str, via_sqlite: str, carrier: str) -> list[Standing]:
    if connection.vendor == "postgresql":
        columns = [[pk for pk, _ in keys], [token for _, token in keys]]
        return sql.prepared(_STANDING.format(via=via), columns)
    found: list[Standing] = []
    with connection.cursor() as cursor:
        for part in sql.parts(keys):
            places = ", ".join(["(%s, %s)"] * len(part))
            statement = _STANDING_SQLITE.format(via=via_sqlite, carrier=carrier, places=places)
            cursor.execute(statement, [value for pair in part for value in pair])
            found += cursor.fetchall()
    return found


def notified(rows: Sequence[Row], *, now: datetime) -> None:
    if connection.vendor == "postgresql":
        sql.prepared(_POSTGRESQL, [now, *(list(column) for column in zip(*rows, strict=True))])
        return
    at = sql.stored(now)
    with connection.cursor() as cursor:
        cursor.executemany(_SQLITE, [(at, number, pk, token) for pk, token, number in rows])

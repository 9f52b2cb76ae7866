"""Who stands at an address without security: the statements, on their two databases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from audit.locks import STRENGTH
from devices.inventory import sql

Place = tuple[str, str, int]
"""Transport, host, port."""

_COLUMNS = "r.device_id, d.endpoint, d.operator_id, d.subscriber_id, r.transport, r.host, r.port"
_FROM = "FROM registry_registration r JOIN inventory_device d ON d.id = r.device_id"
# A row that another writer holds is being refreshed at this moment: nobody waits for it out of order, and until one
# of both speaks again the newer one counts (`standing_rows.standing_at`).
_OTHERS = f"""SELECT {_COLUMNS} {_FROM}
    JOIN unnest(%s::text[], %s::text[], %s::int[]) AS u(transport, host, port)
      ON (u.transport, u.host, u.port) = (r.transport, r.host, r.port)
    WHERE r.is_live AND r.identity = '' AND NOT r.device_id = ANY(%s)
    ORDER BY r.device_id {STRENGTH} OF r SKIP LOCKED"""
_OTHERS_SQLITE = f"""SELECT {_COLUMNS} {_FROM}
    WHERE r.is_live AND r.identity = '' AND (r.transport, r.host, r.port) IN (VALUES {{places}})
    ORDER BY r.device_id"""


@dataclass(frozen=True, slots=True)
class Displaced:
    """A device whose address another one has now."""

    device_id: int
    endpoint: str
    operator_id: int
    subscriber_id: int | None
    transport: str
    host: str
    port: int

    @property
    def place(self) -> Place:
        return self.transport, self.host, self.port


def others_at(places: Sequence[Place], but: Collection[int]) -> list[Displaced]:
    """Live registrations of other devices at these addresses, their rows locked, by device id."""
    if not places:
        return []
    if connection.vendor == "postgresql":
        columns: list[list[object]] = [list(column) for column in zip(*places, strict=True)]
        return [Displaced(*row) for row in sql.prepared(_OTHERS, [*columns, sorted(but)])]
    found: list[Displaced] = []
    with connection.cursor() as cursor:
        for part in sql.parts(places):
            values = ", ".join(["(%s, %s, %s)"] * len(part))
            cursor.execute(_OTHERS_SQLITE.format(places=values), [each for place in part for each in place])
            found += [Displaced(*row) for row in cursor.fetchall()]
    return [one for one in found if one.device_id not in but]


def end(device_ids: Iterable[int]) -> None:
    """These have no address any more."""
    for part in sql.parts(sorted(device_ids)):
        places = ", ".join(["%s"] * len(part))
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE registry_registration SET host = '', port = 0 WHERE device_id IN ({places})",  # noqa: S608
                part,
            )

"""Reads who sent reports, and where devices are, in one planned statement each: called for every batch of them.

No rule lives here. JSON leaves as text, so that what devices of one kind have in common is read once
(`southbound.peers.senders`), and times as numbers, as in the registration store.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from audit.locks import STRENGTH
from devices.inventory import sql
from devices.registry.standing_rows import CREDENTIAL

_COLUMNS = f"""r.device_id, d.operator_id, r.registration_id, r.transport, r.identity, r.host, r.port, r.queue_mode,
    d.security, d.msisdn, d.access, o.is_active, o.allows_nosec,
    (EXISTS (SELECT 1 FROM commands_command k WHERE k.device_id = d.id AND k.state IN ('queued', 'sent'))
     OR EXISTS (SELECT 1 FROM inventory_device e JOIN commands_command k ON k.device_id = e.id
                WHERE e.via_id = d.id AND k.state IN ('queued', 'sent'))),
    {CREDENTIAL},
    t.version, CAST(t.object_links AS text)"""  # noqa: S608 our own names
_FROM = """FROM registry_registration r JOIN inventory_device d ON d.id = r.device_id
    JOIN accounts_operator o ON o.id = d.operator_id
    LEFT JOIN registry_registrationdetail t ON t.device_id = r.device_id"""
_SENDERS = (
    f"SELECT {_COLUMNS} {_FROM} WHERE r.is_live AND r.device_id {{ids}} ORDER BY r.last_seen_at, r.device_id"
)
_DETAILS = """SELECT t.device_id, t.version, CAST(t.object_links AS text) FROM registry_registrationdetail t
    WHERE t.device_id {ids}"""
_WAYS = f"""SELECT r.device_id, r.registration_id, r.transport, r.identity, r.host, r.port, r.queue_mode,
    {{last_seen_at}}, {{expires_at}}, {CREDENTIAL}
    FROM registry_registration r JOIN inventory_device d ON d.id = r.device_id
    WHERE r.is_live AND r.device_id {{{{ids}}}}"""  # noqa: S608 our own names
_HEARD = f"""UPDATE registry_registration SET last_seen_at = %s WHERE device_id IN (
    SELECT device_id FROM registry_registration WHERE device_id = ANY(%s) AND is_live AND queue_mode
    ORDER BY device_id {STRENGTH})"""  # noqa: S608 our own words
_HEARD_SQLITE = """UPDATE registry_registration SET last_seen_at = %s
    WHERE device_id = %s AND is_live AND queue_mode"""


@dataclass(frozen=True, slots=True)
class SenderRow:
    """A live registration with its device and operator. `version` None: nothing is known of what it said."""

    device_id: int
    operator_id: int
    registration_id: str
    transport: str
    identity: str
    host: str
    port: int
    queue_mode: bool
    security: str
    msisdn: str
    access: str
    operator_is_active: bool
    operator_allows_nosec: bool
    has_waiting: bool
    credential_id: int | None
    version: str | None
    object_links: str | None


@dataclass(frozen=True, slots=True)
class WayRow:
    """Where a device was last heard, and what its presence is judged by; times in seconds since 1970."""

    device_id: int
    registration_id: str
    transport: str
    identity: str
    host: str
    port: int
    queue_mode: bool
    last_seen_at: float
    expires_at: float | None
    credential_id: int | None


def ways(device_ids: Sequence[int]) -> dict[int, WayRow]:
    """Device id -> where its live registration leads."""
    form = "EXTRACT(EPOCH FROM r.{0})::float8" if connection.vendor == "postgresql" else "r.{0}"
    statement = _WAYS.format(**{name: form.format(name) for name in ("last_seen_at", "expires_at")})
    return {row[0]: _way(row) for row in sql.select(statement, device_ids)}


def _way(row: Sequence[Any]) -> WayRow:
    device_id, registration_id, transport, identity, host, port, queue_mode, seen, expires, credential_id = (
        row
    )
    return WayRow(
        device_id,
        registration_id,
        transport,
        identity,
        host,
        port,
        bool(queue_mode),
        sql.to_epoch(seen),
        None if expires is None else sql.to_epoch(expires),
        credential_id,
    )


def live(device_ids: Sequence[int]) -> list[SenderRow]:
    """The live registrations of these devices, who spoke last at the end."""
    return [SenderRow(*row) for row in sql.select(_SENDERS, device_ids)]


def details(device_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Device id -> version and object list, as text, of its last registration."""
    return {pk: (version, links) for pk, version, links in sql.select(_DETAILS, device_ids)}


def heard(device_ids: Collection[int], *, now: datetime) -> None:
    """In queue mode these are awake now; rows are locked by device id, as everywhere."""
    if not device_ids:
        return
    if connection.vendor == "postgresql":
        sql.prepared(_HEARD, [now, sorted(device_ids)])
        return
    at: Any = sql.stored(now)
    with connection.cursor() as cursor:
        cursor.executemany(_HEARD_SQLITE, [(at, device_id) for device_id in sorted(device_ids)])

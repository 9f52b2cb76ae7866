"""Reads what a batch of messages needs to know, in few statements, on PostgreSQL and SQLite.

No rule lives here. Rows are locked and written sorted by device id, so that two writers never wait for each other
in a circle; one row per device in a batch. SQLite has no row locks: its transactions are IMMEDIATE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from audit.locks import STRENGTH
from devices.inventory import sql
from lwm2m.registration import Origin, Registration

_HOT_COLUMNS = """
    r.registration_id, r.is_live, r.transport, r.identity, r.host, r.port, r.lifetime_seconds, r.queue_mode,
    {registered_at}, {last_seen_at}, {expires_at}, r.register_digest
"""
# A command in flight counts too: its lease may have run out with the process that sent it.
_WAITING = """
    (EXISTS (SELECT 1 FROM commands_command k WHERE k.device_id = d.id AND k.state IN ('queued', 'sent'))
     OR EXISTS (SELECT 1 FROM inventory_device e JOIN commands_command k ON k.device_id = e.id
                WHERE e.via_id = d.id AND k.state IN ('queued', 'sent')))
"""
_DEVICE_COLUMNS = f"""
    d.id, d.endpoint, d.operator_id, d.subscriber_id, d.access, d.provisioning, d.security, d.reach, d.msisdn,
    o.is_active, o.allows_nosec, {_WAITING}
"""
# The one credential that counts for the identity of the registration, if there is one still.
CREDENTIAL = """
    (SELECT c.id FROM inventory_credential c WHERE r.identity <> '' AND r.transport IN ('dtls', 'tls')
     AND c.plane = 'management' AND c.identity = r.identity AND c.state <> 'retired' AND c.device_id = d.id)
"""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What the rules need to know of a device row."""

    device_id: int
    endpoint: str
    operator_id: int
    subscriber_id: int | None
    access: str
    provisioning: str
    security: str
    reach: str
    msisdn: str
    operator_is_active: bool
    operator_allows_nosec: bool
    has_waiting: bool


@dataclass(slots=True)
class Standing:
    """A device and its registration row as the batch goes on; `current` is None when none is live."""

    device: DeviceFacts
    current: Registration | None
    is_stored: bool
    credential_id: int | None = None
    """Of the key that counts for the identity it registered with."""
    digest: int | None = None
    """Of the Register message that made the registration."""


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    credential_id: int
    device_id: int
    is_unused: bool


def by_registration_id(ids: Sequence[str]) -> list[Standing]:
    """The live registrations of these ids with their devices, the registration rows locked."""
    statement = f"""SELECT {_DEVICE_COLUMNS}, {CREDENTIAL}, {_hot_columns()}
              FROM registry_registration r JOIN inventory_device d ON d.id = r.device_id
              JOIN accounts_operator o ON o.id = d.operator_id
              WHERE r.registration_id {{ids}} AND r.is_live ORDER BY r.device_id {{lock}}"""  # noqa: S608
    return [_standing(row) for row in sql.select(statement, ids, lock=f"{STRENGTH} OF r")]


def by_device_id(ids: Sequence[int]) -> list[Standing]:
    """These devices with their registrations, live or not; device rows first, then registration rows locked."""
    if connection.vendor == "postgresql":
        sql.select(
            "SELECT d.id FROM inventory_device d WHERE d.id {ids} ORDER BY d.id {lock}", ids, lock=STRENGTH
        )
        sql.select(
            "SELECT r.device_id FROM registry_registration r WHERE r.device_id {ids} ORDER BY r.device_id {lock}",
            ids,
            lock=STRENGTH,
        )
    statement = f"""SELECT {_DEVICE_COLUMNS}, {CREDENTIAL}, {_hot_columns()}
              FROM inventory_device d JOIN accounts_operator o ON o.id = d.operator_id
              LEFT JOIN registry_registration r ON r.device_id = d.id
              WHERE d.id {{ids}} ORDER BY d.id"""  # noqa: S608
    return [_standing(row) for row in sql.select(statement, ids)]


_STANDING_AT = """SELECT r.device_id
    FROM registry_registration r JOIN unnest(%s::text[], %s::int[]) AS u(host, port) USING (host, port)
    WHERE r.is_live AND r.transport IN ('udp', 'tcp')"""
_STANDING_AT_SQLITE = """SELECT device_id FROM registry_registration
    WHERE is_live AND transport IN ('udp', 'tcp') AND (host, port) IN (VALUES {places})"""
_STANDING_AS = """SELECT r.device_id FROM registry_registration r
    WHERE r.is_live AND r.identity {ids}"""


def standing_at(addresses: Sequence[tuple[str, int]]) -> list[int]:
    """Ids of the devices with a live registration in the clear that were last heard at these (host, port)."""
    if connection.vendor == "postgresql":
        hosts, ports = [host for host, _ in addresses], [port for _, port in addresses]
        return [device_id for (device_id,) in sql.prepared(_STANDING_AT, [hosts, ports])]
    found: list[int] = []
    with connection.cursor() as cursor:
        for part in sql.parts(addresses):
            places = ", ".join(["(%s, %s)"] * len(part))
            cursor.execute(
                _STANDING_AT_SQLITE.format(places=places), [value for pair in part for value in pair]
            )
            found += [device_id for (device_id,) in cursor.fetchall()]
    return found


def standing_as(identities: Sequence[str]) -> list[int]:
    """Ids of the devices with a live registration under one of these identities."""
    return [device_id for (device_id,) in sql.select(_STANDING_AS, identities)]


def device_ids_by_endpoint(endpoints: Sequence[str]) -> dict[str, int]:
    """Endpoint name -> id of the one device that is not retired."""
    statement = (
        "SELECT d.endpoint, d.id FROM inventory_device d WHERE d.access <> 'retired' AND d.endpoint {ids}"
    )
    return dict(sql.select(statement, endpoints))


def device_ids_by_number(numbers: Sequence[str]) -> dict[str, int]:
    """Phone number -> id of the device that holds it: not retired, and confirmed where several claim it.

    Of what comes by SMS that is the sender: its first message confirms the number before anybody reads it.
    """
    statement = """SELECT d.msisdn, d.id FROM inventory_device d WHERE d.access <> 'retired' AND d.msisdn {ids}
             ORDER BY d.msisdn_confirmed_at IS NOT NULL, d.id"""
    return dict(sql.select(statement, numbers))


def management_credentials(identities: Sequence[str]) -> dict[str, CredentialFacts]:
    """PSK identity -> its management credential, unless that is retired."""
    statement = """SELECT c.identity, c.id, c.device_id, c.first_used_at IS NULL FROM inventory_credential c
             WHERE c.plane = 'management' AND c.state <> 'retired' AND c.identity {ids}"""
    return {
        identity: CredentialFacts(credential_id, device_id, bool(is_unused))
        for identity, credential_id, device_id, is_unused in sql.select(statement, identities)
    }


def overdue(*, before: datetime, limit: int) -> list[tuple[int, float]]:
    """(device id, expiry) of live registrations that end before a time: the full scan that backs the timers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT device_id, expires_at FROM registry_registration
               WHERE is_live AND expires_at IS NOT NULL AND expires_at < %s LIMIT %s""",
            [sql.stored(before), limit],
        )
        return [(device_id, sql.to_epoch(expires_at)) for device_id, expires_at in cursor.fetchall()]


def _hot_columns() -> str:
    """On PostgreSQL times leave as numbers: making aware datetimes of them costs more than all the rest."""
    form = "EXTRACT(EPOCH FROM r.{0})::float8" if connection.vendor == "postgresql" else "r.{0}"
    times = {name: form.format(name) for name in ("registered_at", "last_seen_at", "expires_at")}
    return _HOT_COLUMNS.format(**times)


def _standing(row: Sequence[Any]) -> Standing:
    (
        device_id,
        endpoint,
        operator_id,
        subscriber_id,
        access,
        provisioning,
        security,
        reach,
        msisdn,
        active,
        nosec,
        waiting,
    ) = row[:12]
    device = DeviceFacts(
        device_id,
        endpoint,
        operator_id,
        subscriber_id,
        access,
        provisioning,
        security,
        reach,
        msisdn,
        bool(active),
        bool(nosec),
        bool(waiting),
    )
    credential_id = row[12]
    return Standing(
        device,
        _registration(endpoint, credential_id, row[13:24]),
        row[13] is not None,
        credential_id,
        row[24],
    )


def _registration(endpoint: str, credential_id: int | None, row: Sequence[Any]) -> Registration | None:
    """The live registration of a hot row; what stands in RegistrationDetail is left out."""
    registration_id, live, transport, identity, host, port, lifetime, queue, began, seen, expires = row
    if not live:
        return None
    return Registration(
        registration_id,
        endpoint,
        "",
        "",
        bool(queue),
        lifetime,
        None,
        Origin(host, port, transport, identity or None, credential_id),
        sql.to_epoch(began),
        sql.to_epoch(seen),
        None if expires is None else sql.to_epoch(expires),
    )

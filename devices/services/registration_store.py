"""Reads and writes the hot registration rows for a whole batch, in few statements, on PostgreSQL and SQLite.

No rule lives here. Rows are locked and written sorted by device id, so that two writers never wait for each other
in a circle; one row per device in a batch. SQLite has no row locks: its transactions are IMMEDIATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from lwm2m.registration import Origin, Registration

SQLITE_PARAMETERS = 500

_HOT_COLUMNS = """
    r.device_id, r.registration_id, r.is_live, r.transport, r.identity, r.host, r.port, r.flow,
    r.lifetime_seconds, r.queue_mode, r.registered_at, r.last_seen_at, r.expires_at
"""
# A command in flight counts too: its lease may have run out with the process that sent it.
_WAITING = (
    "EXISTS (SELECT 1 FROM devices_command k WHERE k.device_id = d.id AND k.state IN ('queued', 'sent'))"
)
_DEVICE_COLUMNS = f"""
    d.id, d.endpoint, d.operator_id, d.subscriber_id, d.access, d.provisioning, d.security,
    o.is_active, o.allows_nosec, {_WAITING}
"""
# Whether the identity of the registration still has a credential that counts.
_CREDENTIAL = """
    (r.identity = '' OR EXISTS (SELECT 1 FROM devices_credential c
     WHERE c.plane = 'management' AND c.identity = r.identity AND c.state <> 'retired' AND c.device_id = d.id))
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
    operator_is_active: bool
    operator_allows_nosec: bool
    has_waiting: bool


@dataclass(slots=True)
class Standing:
    """A device and its registration row as the batch goes on; `current` is None when none is live."""

    device: DeviceFacts
    current: Registration | None
    is_stored: bool
    credential_counts: bool = True


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    credential_id: int
    device_id: int
    is_unused: bool


def by_registration_id(ids: Sequence[str]) -> list[Standing]:
    """The live registrations of these ids with their devices, the registration rows locked."""
    sql = f"""SELECT {_DEVICE_COLUMNS}, {_CREDENTIAL}, {_HOT_COLUMNS}
              FROM devices_registration r JOIN devices_device d ON d.id = r.device_id
              JOIN accounts_operator o ON o.id = d.operator_id
              WHERE r.registration_id {{ids}} AND r.is_live ORDER BY r.device_id {{lock}}"""  # noqa: S608
    return [_standing(row) for row in _select(sql, ids, lock="FOR UPDATE OF r")]


def by_device_id(ids: Sequence[int]) -> list[Standing]:
    """These devices with their registrations, live or not; device rows first, then registration rows locked."""
    if connection.vendor == "postgresql":
        _select(
            "SELECT d.id FROM devices_device d WHERE d.id {ids} ORDER BY d.id {lock}", ids, lock="FOR UPDATE"
        )
        _select(
            "SELECT r.device_id FROM devices_registration r WHERE r.device_id {ids} ORDER BY r.device_id {lock}",
            ids,
            lock="FOR UPDATE",
        )
    sql = f"""SELECT {_DEVICE_COLUMNS}, 1, {_HOT_COLUMNS}
              FROM devices_device d JOIN accounts_operator o ON o.id = d.operator_id
              LEFT JOIN devices_registration r ON r.device_id = d.id
              WHERE d.id {{ids}} ORDER BY d.id"""  # noqa: S608
    return [_standing(row) for row in _select(sql, ids)]


def by_address(addresses: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """(host, port) -> device id of the live NoSec registrations last heard there."""
    found: dict[tuple[str, int], int] = {}
    for host, port in addresses:
        sql = """SELECT device_id FROM devices_registration
                 WHERE is_live AND transport = 'udp' AND host = %s AND port = %s LIMIT 1"""
        with connection.cursor() as cursor:
            cursor.execute(sql, [host, port])
            for (device_id,) in cursor.fetchall():
                found[host, port] = device_id
    return found


def device_ids_by_endpoint(endpoints: Sequence[str]) -> dict[str, int]:
    """Endpoint name -> id of the one device that is not retired."""
    sql = "SELECT d.endpoint, d.id FROM devices_device d WHERE d.access <> 'retired' AND d.endpoint {ids}"
    return dict(_select(sql, endpoints))


def management_credentials(identities: Sequence[str]) -> dict[str, CredentialFacts]:
    """PSK identity -> its management credential, unless that is retired."""
    sql = """SELECT c.identity, c.id, c.device_id, c.first_used_at IS NULL FROM devices_credential c
             WHERE c.plane = 'management' AND c.state <> 'retired' AND c.identity {ids}"""
    return {
        identity: CredentialFacts(credential_id, device_id, bool(is_unused))
        for identity, credential_id, device_id, is_unused in _select(sql, identities)
    }


def refresh(expiries: dict[int, float | None], *, flow: str, now: datetime) -> None:
    """Write what a plain lifetime refresh changes: seen, expiry, and the flow it came through."""
    ids = sorted(expiries)
    if not ids:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE devices_registration r
                   SET last_seen_at = %s, flow = %s, expires_at = to_timestamp(v.expires_at)
                   FROM unnest(%s::bigint[], %s::float8[]) AS v(device_id, expires_at)
                   WHERE r.device_id = v.device_id""",
                [now, flow, ids, [expiries[device_id] for device_id in ids]],
            )
        return
    seen = _stored(now)
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE devices_registration SET last_seen_at = %s, flow = %s, expires_at = %s WHERE device_id = %s",
            [(seen, flow, _stored(from_epoch(expiries[device_id])), device_id) for device_id in ids],
        )


def save(rows: dict[int, Registration], *, flow: str) -> None:
    """Write whole registration rows, new or changed."""
    columns = (
        "device_id, registration_id, is_live, transport, identity, host, port, flow, lifetime_seconds, queue_mode, "
        "registered_at, last_seen_at, expires_at"
    )
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns.split(", ")[1:])
    values = [_values(device_id, rows[device_id], flow) for device_id in sorted(rows)]
    places = ", ".join(["%s"] * len(columns.split(", ")))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO devices_registration ({columns}) VALUES ({places}) "  # noqa: S608 our own names
            f"ON CONFLICT (device_id) DO UPDATE SET {changed}",
            values,
        )


def end(device_ids: Iterable[int], *, now: datetime) -> None:
    """These registrations are no longer live; the row stays as the last one."""
    ids = sorted(device_ids)
    for part in _parts(ids):
        places = ", ".join(["%s"] * len(part))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE devices_registration SET is_live = %s, last_seen_at = last_seen_at "  # noqa: S608
                f"WHERE device_id IN ({places})",
                [False, *part],
            )


def overdue(*, before: datetime, limit: int) -> list[tuple[int, float]]:
    """(device id, expiry) of live registrations that end before a time: the full scan that backs the timers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT device_id, expires_at FROM devices_registration
               WHERE is_live AND expires_at IS NOT NULL AND expires_at < %s LIMIT %s""",
            [_stored(before), limit],
        )
        return [(device_id, _epoch(expires_at)) for device_id, expires_at in cursor.fetchall()]


def from_epoch(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _values(device_id: int, row: Registration, flow: str) -> tuple[Any, ...]:
    return (
        device_id,
        row.registration_id,
        True,
        row.origin.transport,
        row.origin.identity or "",
        row.origin.host,
        row.origin.port,
        flow,
        row.lifetime_seconds,
        row.queue_mode,
        _stored(from_epoch(row.registered_at)),
        _stored(from_epoch(row.last_seen_at)),
        _stored(from_epoch(row.expires_at)),
    )


def _standing(row: Sequence[Any]) -> Standing:
    (
        device_id,
        endpoint,
        operator_id,
        subscriber_id,
        access,
        provisioning,
        security,
        active,
        nosec,
        waiting,
    ) = row[:10]
    device = DeviceFacts(
        device_id,
        endpoint,
        operator_id,
        subscriber_id,
        access,
        provisioning,
        security,
        bool(active),
        bool(nosec),
        bool(waiting),
    )
    return Standing(device, _registration(endpoint, row[11:]), row[11] is not None, bool(row[10]))


def _registration(endpoint: str, row: Sequence[Any]) -> Registration | None:
    """The live registration of a hot row; what stands in RegistrationDetail is left out."""
    _, registration_id, live, transport, identity, host, port, _, lifetime, queue, began, seen, expires = row
    if not live:
        return None
    return Registration(
        registration_id=registration_id,
        endpoint=endpoint,
        version="",
        binding="",
        queue_mode=bool(queue),
        lifetime_seconds=lifetime,
        sms_number=None,
        origin=Origin(host, port, transport, identity or None),
        registered_at=_epoch(began),
        last_seen_at=_epoch(seen),
        expires_at=None if expires is None else _epoch(expires),
    )


def _epoch(value: Any) -> float:
    if isinstance(value, str):  # SQLite keeps UTC as text
        value = datetime.fromisoformat(value)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return float(value.timestamp())


def _stored(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def _select(sql: str, ids: Sequence[Any], *, lock: str = "") -> list[tuple[Any, ...]]:
    """Run `sql` with `{ids}` as a membership test and `{lock}` where the database knows row locks."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(sql.format(ids="= ANY(%s)", lock=lock), [list(ids)])
            return list(cursor.fetchall())
        rows: list[tuple[Any, ...]] = []
        for part in _parts(ids):
            places = ", ".join(["%s"] * len(part))
            cursor.execute(sql.format(ids=f"IN ({places})", lock=""), part)
            rows += cursor.fetchall()
        return rows


def _parts(ids: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(ids), SQLITE_PARAMETERS):
        yield list(ids[start : start + SQLITE_PARAMETERS])

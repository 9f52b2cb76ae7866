"""Counts refusals at the door: one upsert for many, a bounded table, and a ledger event where a device is known.

A flood grows a counter. Only the first knock of its kind at a known device in a while becomes an event of the
ledger, and only a few at a time: whoever can knock without being known must not be able to fill a chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from audit import ledger
from devices import events
from devices.models import Credential, Device, Knock
from devices.services.admission import known_cause
from devices.states import Access

TABLE_LIMIT = 20_000
"""Beyond it the knocks of unknown names that were quiet longest are dropped."""
QUIET = timedelta(minutes=10)
EVENTS_PER_CALL = 20
_DETAIL_LIMIT = 300
_COLUMNS = "plane, cause, claimed_name, host, device_id, operator_id, detail, count, first_at, last_at"


@dataclass(frozen=True, slots=True)
class KnockSeen:
    """Refusals of one kind that came together. `device_id` when the refusal was already tied to a device.

    `operator_id` when the way it came is an operator's own, such as the link to its SMSC.
    """

    plane: str
    cause: str
    claimed_name: str
    host: str
    detail: str = ""
    device_id: int | None = None
    count: int = 1
    operator_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Tied:
    device_id: int
    operator_id: int
    endpoint: str
    subscriber_id: int | None


def count(*, knocks: Sequence[KnockSeen], now: datetime) -> None:
    """Add these to what was counted, in one statement, and tie them to devices by name or identity."""
    merged = _merged(knocks)
    if not merged:
        return
    tied = _ties(merged.values())
    with ledger.unit_of_work():
        recent = _recent(merged, tied, now)
        _upsert(merged, tied, now)
        _bound()
        fresh = [(knock, tied[key]) for key, knock in merged.items() if key in tied and key not in recent][
            :EVENTS_PER_CALL
        ]
        ledger.record_many([_event(knock, device) for knock, device in fresh])
        devices = {device.device_id: device.operator_id for device in tied.values()}
        events.devices_changed(devices.items(), ["knock"])


Key = tuple[str, str, str, str]


def _merged(knocks: Iterable[KnockSeen]) -> dict[Key, KnockSeen]:
    merged: dict[Key, KnockSeen] = {}
    for knock in knocks:
        name = knock.claimed_name.replace("\0", "�")[:255]
        cause = known_cause(knock.cause)
        key = (knock.plane, cause, name, knock.host)
        total = knock.count + (merged[key].count if key in merged else 0)
        detail = knock.detail.replace("\0", "�")[:_DETAIL_LIMIT]
        merged[key] = KnockSeen(
            knock.plane, cause, name, knock.host, detail, knock.device_id, total, knock.operator_id
        )
    return dict(sorted(merged.items()))


def _ties(knocks: Iterable[KnockSeen]) -> dict[Key, _Tied]:
    """Whose they are: the device the refusal knew, else the one of that endpoint name or PSK identity."""
    knocks = list(knocks)
    ids = {knock.device_id for knock in knocks if knock.device_id is not None}
    names = {knock.claimed_name for knock in knocks if knock.claimed_name and knock.device_id is None}
    by_identity = {
        (row.plane, row.identity): row.device_id
        for row in Credential.objects.filter(identity__in=names).only("plane", "identity", "device_id")
    }
    wanted = Q(pk__in=ids | set(by_identity.values())) | (Q(endpoint__in=names) & ~Q(access=Access.RETIRED))
    devices = {
        row[0]: _Tied(*row)
        for row in Device.objects.filter(wanted).values_list("pk", "operator_id", "endpoint", "subscriber_id")
    }
    by_name = {device.endpoint: device for device in devices.values()}
    tied: dict[Key, _Tied] = {}
    for knock in knocks:
        device_id = knock.device_id or by_identity.get((knock.plane, knock.claimed_name))
        device = devices.get(device_id) if device_id is not None else by_name.get(knock.claimed_name)
        if device is not None:
            tied[(knock.plane, knock.cause, knock.claimed_name, knock.host)] = device
    return tied


def _recent(merged: dict[Key, KnockSeen], tied: dict[Key, _Tied], now: datetime) -> set[Key]:
    """Of the tied ones, those that were already knocking a moment ago."""
    names = {key[2] for key in merged if key in tied}
    rows = Knock.objects.filter(claimed_name__in=names, last_at__gt=now - QUIET)
    return set(rows.values_list("plane", "cause", "claimed_name", "host"))


def _upsert(merged: dict[Key, KnockSeen], tied: dict[Key, _Tied], now: datetime) -> None:
    stored_now = connection.ops.adapt_datetimefield_value(now)
    rows = []
    for key, knock in merged.items():
        device = tied.get(key)
        rows.append(
            (
                *key,
                device.device_id if device else None,
                device.operator_id if device else knock.operator_id,
                knock.detail,
                knock.count,
                stored_now,
                stored_now,
            )
        )
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO devices_knock ({_COLUMNS}) VALUES ({', '.join(['%s'] * 10)}) "  # noqa: S608 our own names
            "ON CONFLICT (plane, cause, claimed_name, host) DO UPDATE SET "
            "count = devices_knock.count + excluded.count, last_at = excluded.last_at, detail = excluded.detail, "
            "device_id = COALESCE(excluded.device_id, devices_knock.device_id), "
            "operator_id = COALESCE(excluded.operator_id, devices_knock.operator_id)",
            rows,
        )


def _bound() -> None:
    surplus = Knock.objects.count() - TABLE_LIMIT
    if surplus > 0:
        oldest = Knock.objects.order_by("device_id", "last_at").filter(device=None)[
            : surplus + TABLE_LIMIT // 10
        ]
        Knock.objects.filter(pk__in=list(oldest.values_list("pk", flat=True))).delete()
        still = Knock.objects.count() - TABLE_LIMIT
        if still > 0:
            tied = Knock.objects.order_by("last_at")[:still]
            Knock.objects.filter(pk__in=list(tied.values_list("pk", flat=True))).delete()


def _event(knock: KnockSeen, device: _Tied) -> ledger.Event:
    return ledger.Event(
        action="device.refused",
        operator_id=device.operator_id,
        actor=ledger.Actor("device", str(device.device_id), device.endpoint),
        result="refused",
        cause=knock.cause,
        target=device.endpoint,
        device_id=device.device_id,
        subscriber_id=device.subscriber_id,
        detail={
            "plane": knock.plane,
            "count": knock.count,
        },
        personal={"claimed_name": knock.claimed_name, "host": knock.host, "said": knock.detail},
    )

"""Counts refusals at the door: one upsert for many, a bounded table, and a ledger event where a device is known.

A flood grows a counter. Only the first knock of its kind at a known device in a while becomes an event of the ledger,
wherever it came from (an address costs a stranger nothing), and within the budget of `audit.strangers`. Of one name and
cause only so many addresses are listed. Each operator has a part of the room, and so have the names of nobody: filling
one leaves the others as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q

from audit import ledger
from audit.actions import Action
from devices.inventory import events
from devices.inventory.models import Credential, Device, Knock
from devices.inventory.states import Access
from devices.registry.services.admission import known_cause

OPERATOR_LIMIT = 5_000
NOBODY_LIMIT = 10_000
"""So many rows of an operator, and of names that belong to nobody; beyond it those that were quiet longest go."""
HOSTS_LISTED = 8
ELSEWHERE = "elsewhere"
"""Stands for all further addresses from which the same name knocked for the same cause."""
LOOK_AFTER = 500
"""The table is counted after so many rows that may be new, and not with each of them."""
QUIET = timedelta(minutes=10)
_DETAIL_LIMIT = 300
KEY = ("plane", "cause", "claimed_name", "host")
ROWS_READ = 20_000
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
    merged = _few_hosts(_merged(knocks))
    if not merged:
        return
    tied = _ties(merged.values())
    with ledger.unit_of_work():
        fresh = _fresh(merged, tied, now)
        _upsert(merged, tied, now)
        _bound(len(merged))
        ledger.record_many([_event(knock, device, now) for knock, device in fresh])
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


def _few_hosts(merged: dict[Key, KnockSeen]) -> dict[Key, KnockSeen]:
    """The same with addresses beyond `HOSTS_LISTED` of one plane, cause and name put together.

    Who says no name is known by the address alone, and the bounds of the room have to do.
    """
    listed: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    names = {key[2] for key in merged if key[2]}
    for plane, cause, name, host in Knock.objects.filter(claimed_name__in=names).values_list(*KEY)[
        :ROWS_READ
    ]:
        listed[plane, cause, name].add(host)
    kept: dict[Key, KnockSeen] = {}
    for (plane, cause, name, host), knock in merged.items():
        hosts = listed[plane, cause, name]
        where = host if not name or host in hosts or len(hosts) < HOSTS_LISTED else ELSEWHERE
        hosts.add(where)
        key = (plane, cause, name, where)
        before = kept[key].count if key in kept else 0
        kept[key] = replace(knock, host=where, count=knock.count + before)
    return dict(sorted(kept.items()))


def _fresh(
    merged: dict[Key, KnockSeen], tied: dict[Key, _Tied], now: datetime
) -> list[tuple[KnockSeen, _Tied]]:
    """Of each device and cause the first in a while."""
    ids = {device.device_id for device in tied.values()}
    rows = Knock.objects.filter(device_id__in=ids, last_at__gt=now - QUIET)
    known = set(rows.values_list("device_id", "cause"))
    found: dict[tuple[int, str], tuple[KnockSeen, _Tied]] = {}
    for key, device in tied.items():
        about = (device.device_id, key[1])
        if about not in known:
            found.setdefault(about, (merged[key], device))
    return list(found.values())


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
            f"INSERT INTO inventory_knock ({_COLUMNS}) VALUES ({', '.join(['%s'] * 10)}) "  # noqa: S608 our own names
            "ON CONFLICT (plane, cause, claimed_name, host) DO UPDATE SET "
            "count = inventory_knock.count + excluded.count, last_at = excluded.last_at, detail = excluded.detail, "
            "device_id = COALESCE(excluded.device_id, inventory_knock.device_id), "
            "operator_id = COALESCE(excluded.operator_id, inventory_knock.operator_id)",
            rows,
        )


_unlooked = LOOK_AFTER
"""Rows that came since the table was counted; a process that starts counts it with its first ones."""


def _bound(came: int) -> None:
    global _unlooked
    _unlooked += came
    if _unlooked < LOOK_AFTER:
        return
    _unlooked = 0
    rooms = Knock.objects.order_by().values_list("operator_id").annotate(rows=Count("pk"))
    for operator_id, rows in list(rooms):
        limit = NOBODY_LIMIT if operator_id is None else OPERATOR_LIMIT
        if rows > limit:
            oldest = Knock.objects.filter(operator_id=operator_id).order_by("last_at", "pk")
            surplus = list(oldest.values_list("pk", flat=True)[: rows - limit + limit // 10])
            Knock.objects.filter(pk__in=surplus).delete()


def _event(knock: KnockSeen, device: _Tied, now: datetime) -> ledger.Event:
    return ledger.Event(
        action=Action.DEVICE_REFUSED,
        by_stranger=True,
        at=now,
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

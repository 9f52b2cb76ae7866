"""Whose a phone number is, and what an operator's link lets be sent to it in a day.

A number counts once an SMS came from it: the SMSC vouches for that. Until then it is what somebody typed: it keeps no
other operator's device from having it, and next to nothing is sent to whoever really has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import F

from audit import ledger
from audit.actions import Action
from devices.inventory import events
from devices.inventory.models import Device
from devices.messaging.models import DEFAULT_DAILY_MESSAGES, SmscLink, SmsSpent


@dataclass(frozen=True, slots=True)
class Owner:
    """A living device, as the SMS rooms need to know it."""

    device_id: int
    operator_id: int
    endpoint: str
    subscriber_id: int | None
    reach: str
    is_confirmed: bool


UNCONFIRMED_DAILY = 1
"""SMS a day to a number from which none came: enough for a device to answer."""


def owners(numbers: Iterable[str], *, operator_id: int) -> dict[str, Owner]:
    """Phone number -> the living device that has it, as this operator sees it.

    Whoever confirmed a number has it; else the operator's own device that claims it; else another's, which is no
    more than a hint.
    """
    rows = Device.objects.filter(msisdn__in=set(numbers) - {""}).living()
    found: dict[str, Owner] = {}
    columns = ("msisdn", "pk", "operator_id", "endpoint", "subscriber_id", "reach", "msisdn_confirmed_at")
    for row in rows.order_by("pk").values_list(*columns):
        number, owner = _owner(row)
        held = found.get(number)
        if held is None or _weight(owner, operator_id) > _weight(held, operator_id):
            found[number] = owner
    return found


def _owner(row: Sequence[Any]) -> tuple[str, Owner]:
    number, device_id, operator_id, endpoint, subscriber_id, reach, confirmed_at = row
    return number, Owner(device_id, operator_id, endpoint, subscriber_id, reach, confirmed_at is not None)


def _weight(owner: Owner, operator_id: int) -> tuple[bool, bool]:
    return owner.is_confirmed, owner.operator_id == operator_id


def confirm(*, owners: Mapping[str, Owner], now: datetime) -> None:
    """An SMS came from these numbers, over the link of their devices' operator. Leaves an event of each, once."""
    for number, owner in sorted(owners.items(), key=lambda item: item[1].device_id):
        fresh = Device.objects.filter(pk=owner.device_id, msisdn=number, msisdn_confirmed_at=None)
        if owner.is_confirmed or not fresh.update(msisdn_confirmed_at=now):
            continue
        ledger.record(
            action=Action.DEVICE_NUMBER_CONFIRMED,
            operator_id=owner.operator_id,
            actor=ledger.Actor("device", str(owner.device_id), owner.endpoint),
            target=owner.endpoint,
            device_id=owner.device_id,
            subscriber_id=owner.subscriber_id,
            personal={"msisdn": number},
        )
        events.device_changed(owner.device_id, owner.operator_id, ["sms"])


def daily_cap(operator_id: int) -> int:
    """How many SMS may go to one device in a day."""
    cap = SmscLink.objects.filter(operator_id=operator_id).values_list("daily_messages", flat=True).first()
    return DEFAULT_DAILY_MESSAGES if cap is None else cap


def spent(device_id: int, *, now: datetime) -> int:
    """How many went to the device today (UTC)."""
    row = SmsSpent.objects.filter(device_id=device_id, day=_day(now))
    return row.values_list("count", flat=True).first() or 0


def has_budget(*, device_id: int, operator_id: int, now: datetime) -> bool:
    """Whether one more SMS may go to the device today."""
    return spent(device_id, now=now) < caps([device_id], operator_id)[device_id]


def caps(device_ids: Iterable[int], operator_id: int) -> dict[int, int]:
    """How many SMS may go to each of them in a day, by whether its number is confirmed."""
    ids, cap = list(device_ids), daily_cap(operator_id)
    claimed = Device.objects.filter(pk__in=ids, msisdn_confirmed_at=None).values_list("pk", flat=True)
    return dict.fromkeys(ids, cap) | dict.fromkeys(claimed, min(cap, UNCONFIRMED_DAILY))


def spend(*, wanted: Mapping[int, int], operator_id: int, now: datetime, is_told: bool = True) -> set[int]:
    """Count so many SMS for these devices (id -> number) and return those that may have them.

    What would go beyond the cap is not counted. The first refusal of a day leaves one ledger event, and only
    that one, where `is_told`. Call it inside a unit of work, in the process that holds the operator's link: nobody
    else spends meanwhile.
    """
    cap, day = caps(wanted, operator_id), _day(now)
    known = SmsSpent.objects.filter(device_id__in=list(wanted), day=day)
    counts = dict(known.values_list("device_id", "count"))
    SmsSpent.objects.bulk_create(
        [SmsSpent(device_id=device_id, day=day) for device_id in sorted(set(wanted) - set(counts))],
        ignore_conflicts=True,
    )
    allowed: set[int] = set()
    by_number: dict[int, list[int]] = defaultdict(list)
    for device_id, number in wanted.items():
        if counts.get(device_id, 0) + number <= cap[device_id]:
            allowed.add(device_id)
            by_number[number].append(device_id)
    for number, device_ids in sorted(by_number.items()):
        SmsSpent.objects.filter(device_id__in=device_ids, day=day).update(count=F("count") + number)
    for device_id in sorted(set(wanted) - allowed) if is_told else ():
        if SmsSpent.objects.filter(device_id=device_id, day=day, is_told=False).update(is_told=True):
            _tell(device_id, operator_id, cap[device_id])
    return allowed


def _tell(device_id: int, operator_id: int, cap: int) -> None:
    device = Device.objects.filter(pk=device_id).first()
    if device is None:
        return
    ledger.record(
        action=Action.DEVICE_SMS_BUDGET_SPENT,
        operator_id=operator_id,
        actor=ledger.SYSTEM,
        result="refused",
        cause="SMS_BUDGET_SPENT",
        target=device.endpoint,
        device_id=device_id,
        subscriber_id=device.subscriber_id,
        detail={"daily_messages": cap},
    )
    events.device_changed(device_id, operator_id, ["sms"])


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()

"""What goes out by SMS: queued rows, claimed by whoever holds the operator's link, settled by what the SMSC says.

A row is written before anything is sent, and charged to the device's day when it is claimed. Times are aware UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, F, IntegerField, Value, When

from audit import ledger
from audit.actions import Action
from devices.inventory import events, locks
from devices.messaging.models import SmsMessage, SmsPurpose, SmsState
from devices.messaging.services import sms_numbers

DETAIL_LIMIT = 300
MAX_BYTES = 4096
_SINGLE, _PART = 133, 127
"""140 bytes less the user data header: length byte, application ports (6), concatenation with 16 bits (6)."""
_LONG_REFERENCE = 256
"""References from here on are written with 16 bits, so that every message is cut in the same way."""
_FIRST = Case(When(purpose=SmsPurpose.REQUEST, then=Value(1)), default=Value(0), output_field=IntegerField())


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One CoAP message for a number; `flow` is the process whose memory a request's answer is for."""

    operator_id: int
    msisdn: str
    payload: bytes
    purpose: str
    expires_at: datetime
    flow: str = ""


@dataclass(frozen=True, slots=True)
class ToSend:
    """A claimed row. `parts_sent` parts of it are with the SMSC already."""

    message_id: int
    device_id: int | None
    msisdn: str
    payload: bytes
    purpose: str
    parts: int
    parts_sent: int
    smsc_ids: tuple[str, ...]
    attempts: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """How a claimed row went: `state` SENT, QUEUED (again at `next_attempt_at`), REFUSED or DROPPED."""

    sent: ToSend
    state: str
    smsc_ids: tuple[str, ...] = ()
    cause: str = ""
    detail: str = ""
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the SMSC says of one part, finally: by the id as it writes it there, and with the numbers it names."""

    smsc_id: str
    is_delivered: bool
    detail: str = ""
    numbers: tuple[str, ...] = ()


def parts_of(size: int) -> int:
    """How many SMS so many bytes take."""
    return 1 if size <= _SINGLE else -(-size // _PART)


def reference(message_id: int) -> int:
    """What tells the parts of a message from those of another."""
    return _LONG_REFERENCE + message_id % (65_536 - _LONG_REFERENCE)


def queue(*, messages: Sequence[Outgoing], now: datetime) -> list[int | None]:
    """Write the rows, and return their ids in order; None for what is not sent.

    That is: to a number that is no living device's of that operator, or the very bytes that wait already, as a
    repetition of what has not left yet only costs. The caller rings the link.
    """
    owners = {
        (operator_id, number): owner
        for operator_id in {message.operator_id for message in messages}
        for number, owner in sms_numbers.owners(
            (each.msisdn for each in messages if each.operator_id == operator_id), operator_id=operator_id
        ).items()
    }
    waiting = _waiting(messages)
    rows: list[SmsMessage | None] = []
    for message in messages:
        owner = owners.get((message.operator_id, message.msisdn))
        key = (message.operator_id, message.msisdn, message.payload)
        if owner is None or owner.operator_id != message.operator_id or key in waiting:
            rows.append(None)
            continue
        if len(message.payload) > MAX_BYTES:
            raise ValueError("A message by SMS has up to 4096 bytes.")
        waiting.add(key)
        rows.append(
            SmsMessage(
                operator_id=message.operator_id,
                device_id=owner.device_id,
                msisdn=message.msisdn,
                purpose=message.purpose,
                payload=message.payload,
                parts=parts_of(len(message.payload)),
                state=SmsState.QUEUED,
                flow=message.flow,
                created_at=now,
                next_attempt_at=now,
                expires_at=message.expires_at,
            )
        )
    with ledger.unit_of_work():
        SmsMessage.objects.bulk_create([row for row in rows if row is not None])
    return [None if row is None else row.pk for row in rows]


def _waiting(messages: Sequence[Outgoing]) -> set[tuple[int, str, bytes]]:
    numbers = {message.msisdn for message in messages}
    rows = SmsMessage.objects.filter(msisdn__in=numbers).open()
    return {(o, m, bytes(p)) for o, m, p in rows.values_list("operator_id", "msisdn", "payload")}


def claim(*, operator_id: int, holder: str, limit: int, now: datetime) -> list[ToSend]:
    """The next messages for the process that holds the link: answers and triggers first, then by age.

    Each is charged to its device's day here, once; what goes beyond the cap is dropped.
    """
    with ledger.unit_of_work():
        rows = list(
            locks.rows(SmsMessage.objects)
            .filter(
                operator_id=operator_id,
                state=SmsState.QUEUED,
                next_attempt_at__lte=now,
                expires_at__gt=now,
            )
            .order_by(_FIRST, "id")[:limit]
        )
        allowed = _charged([row for row in rows if not row.attempts], operator_id, now)
        taken = [row for row in rows if row.attempts or row.pk in allowed]
        too_much = {row.pk for row in rows} - {row.pk for row in taken}
        # Statements for all of them: a row by row update of hundreds costs more than all the rest.
        SmsMessage.objects.filter(pk__in=[row.pk for row in taken]).update(
            state=SmsState.SUBMITTING, flow=holder, attempts=F("attempts") + 1
        )
        if too_much:
            SmsMessage.objects.filter(pk__in=too_much).update(
                state=SmsState.DROPPED, ended_at=now, cause="SMS_BUDGET_SPENT"
            )
    return [_to_send(row) for row in taken]


def _charged(rows: Sequence[SmsMessage], operator_id: int, now: datetime) -> set[int]:
    """Ids of the rows that the day's number still covers: all of a device at once, else one by one."""
    by_device: dict[int, list[SmsMessage]] = defaultdict(list)
    allowed = {row.pk for row in rows if row.device_id is None}
    for row in rows:
        if row.device_id is not None:
            by_device[row.device_id].append(row)
    wanted = {device_id: sum(row.parts for row in of) for device_id, of in by_device.items()}
    whole = sms_numbers.spend(wanted=wanted, operator_id=operator_id, now=now, is_told=False)
    for device_id, of in sorted(by_device.items()):
        for row in of:
            one = {device_id: row.parts}
            if device_id in whole or sms_numbers.spend(wanted=one, operator_id=operator_id, now=now):
                allowed.add(row.pk)
    return allowed


def _to_send(row: SmsMessage) -> ToSend:
    return ToSend(
        row.pk,
        row.device_id,
        row.msisdn,
        bytes(row.payload),
        row.purpose,
        row.parts,
        row.parts_sent,
        tuple(row.message_ids),
        row.attempts + 1,
        row.expires_at,
    )


def expire(*, operator_id: int, now: datetime) -> int:
    """End what waited past its time; returns how many."""
    overdue = SmsMessage.objects.filter(operator_id=operator_id, state=SmsState.QUEUED, expires_at__lte=now)
    with ledger.unit_of_work():
        locked = locks.rows(overdue).select_related("device")
        rows = list(locked.order_by("id")[:500])
        for row in rows:
            row.state, row.ended_at, row.cause = SmsState.EXPIRED, now, row.cause or "SMS_EXPIRED"
            record(row, Action.DEVICE_SMS_EXPIRED, "failed", "SMS_EXPIRED")
        SmsMessage.objects.bulk_update(rows, ["state", "ended_at", "cause"])
    return len(rows)


def drop_dead(*, operator_id: int, holder: str, now: datetime) -> int:
    """The link is ours now: end the requests of processes that are gone, and what they had given to the SMSC.

    The mailbox sends its commands anew. Whether the SMSC took what was under way is not known, and a doubled
    message costs money: the device's own repetition repairs what is lost. Answers and triggers that wait go out.
    """
    gone = SmsMessage.objects.filter(operator_id=operator_id).open().exclude(flow=holder)
    with ledger.unit_of_work():
        requests = gone.filter(purpose=SmsPurpose.REQUEST, state=SmsState.QUEUED).exclude(flow="")
        dropped = requests.update(
            state=SmsState.DROPPED, ended_at=now, detail="The process that asked is gone; it is asked anew."
        )
        return dropped + gone.filter(state=SmsState.SUBMITTING).update(
            state=SmsState.DROPPED,
            ended_at=now,
            cause="SMSC_UNREACHABLE",
            detail="The process stopped before the SMSC answered; it may have taken the message.",
        )


def record(row: SmsMessage, action: Action, result: str, cause: str) -> None:
    """A ledger event of a message. Only of messages to devices; the device's day bounds how many there can be."""
    device = row.device
    if device is None:
        return
    ledger.record(
        action=action,
        operator_id=row.operator_id,
        actor=ledger.SYSTEM,
        result=result,
        cause=cause,
        target=device.endpoint,
        device_id=device.pk,
        subscriber_id=device.subscriber_id,
        detail={"sms_id": row.pk, "purpose": row.purpose, "parts": row.parts, "said": row.detail},
    )
    events.device_changed(device.pk, row.operator_id, ["sms"])

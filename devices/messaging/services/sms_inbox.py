"""What came in by SMS: parts stored before they are acknowledged, and whole messages told once.

A message of one SMS is whole at once; one of several when `ripe` says so, by the rules of `sms_joining`. A part that
the SMSC tells again while its message is not worked off is one row. After that it is a new message: only CoAP can
tell a repetition of the device from one of the SMSC, and both want the same answer again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit import ledger
from devices.messaging.models import SmsPart
from devices.messaging.services import sms_joining, sms_numbers
from devices.messaging.services.sms_joining import Piece

STRANGER_SECONDS = 3600
"""What waits for a number that became nobody's is given up after this long."""
MAX_PARTS = 32
LOOK_LIMIT = 5_000
MAX_INCOMPLETE = 64
"""So many parts of incomplete messages are kept for a number; the oldest give way."""


@dataclass(frozen=True, slots=True)
class Part:
    """One SMS. `concat` is the concatenation reference, None for a whole message."""

    msisdn: str
    payload: bytes
    concat: int | None = None
    number: int = 1
    total: int = 1

    @property
    def reference(self) -> str:
        """What makes it the same part when it comes again."""
        digest = hashlib.blake2s(self.payload, digest_size=16).hexdigest()
        return f"{'' if self.concat is None else self.concat}:{self.number}/{self.total}:{digest}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A part that is not taken: of a number that is no device's here, of too many parts, or not to be read."""

    cause: str
    device_id: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A message all of whose parts are there; `part_ids` are told to `handled` once it is worked off."""

    part_ids: tuple[int, ...]
    owner: sms_numbers.Owner
    msisdn: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Parts of a number that were taken, and of which there will be no message."""

    msisdn: str
    refused: Refused
    parts: int


@dataclass(frozen=True, slots=True)
class Stored:
    """`refused` has an entry for each part in its order, None for those that were taken.

    `given_up` are older parts that had to make room; `has_parts`: there is something for `ripe`.
    """

    refused: list[Refused | None]
    whole: list[Whole]
    given_up: list[GivenUp]
    has_parts: bool


@dataclass(frozen=True, slots=True)
class Ripe:
    """The messages that are whole by now, what will never be one, and when to look again (None: for new parts)."""

    whole: list[Whole]
    given_up: list[GivenUp]
    due_at: datetime | None


def store(*, operator_id: int, parts: Sequence[Part], now: datetime) -> Stored:
    """Keep these parts, and return the messages of one SMS. When it returns, all may be acknowledged."""
    owners = sms_numbers.owners((part.msisdn for part in parts), operator_id=operator_id)
    refused = [_judge(owners.get(part.msisdn), operator_id, part.total) for part in parts]
    taken = [part for part, why in zip(parts, refused, strict=True) if why is None]
    numbers = {part.msisdn for part in taken}
    with ledger.unit_of_work():
        sms_numbers.confirm(owners={number: owners[number] for number in numbers}, now=now)
        open_ones = SmsPart.objects.filter(operator_id=operator_id, msisdn__in=numbers, handled_at=None)
        known = set(open_ones.values_list("msisdn", "reference"))
        rows = []
        for part in taken:
            if (part.msisdn, part.reference) in known:
                continue
            known.add((part.msisdn, part.reference))
            rows.append(
                SmsPart(
                    operator_id=operator_id,
                    msisdn=part.msisdn,
                    reference=part.reference,
                    concat=part.concat,
                    number=part.number,
                    total=part.total,
                    payload=part.payload,
                    received_at=now,
                )
            )
        SmsPart.objects.bulk_create(rows)
        split = {row.msisdn for row in rows if row.concat is not None}
        given_up = _bound(operator_id, split, owners, now) if split else []
    whole = [
        Whole((row.pk,), owners[row.msisdn], row.msisdn, bytes(row.payload))
        for row in rows
        if row.concat is None
    ]
    return Stored(refused, whole, given_up, bool(split))


def ripe(*, operator_id: int, now: datetime) -> Ripe:
    """Join the parts of an operator that are quiet by now; what is joined is told here once, then by `unhandled`."""
    with ledger.unit_of_work():
        open_ones = SmsPart.objects.filter(operator_id=operator_id, handled_at=None, joined=None)
        rows = list(open_ones.exclude(concat=None).order_by("id")[:LOOK_LIMIT])
        groups: dict[tuple[str, int], list[SmsPart]] = defaultdict(list)
        for row in rows:
            groups[row.msisdn, row.concat or 0].append(row)
        owners = sms_numbers.owners((row.msisdn for row in rows), operator_id=operator_id)
        whole: list[Whole] = []
        given_up: list[GivenUp] = []
        due: list[datetime] = []
        gone: list[int] = []
        for (msisdn, _), parts in groups.items():
            found = sms_joining.join([_piece(row) for row in parts], now)
            due += [found.due_at] if found.due_at is not None else []
            for message in found.whole:
                ids = tuple(piece.id for piece in message)
                SmsPart.objects.filter(pk__in=ids).update(joined=min(ids))
                if msisdn in owners:
                    payload = b"".join(piece.content for piece in message)
                    whole.append(Whole(ids, owners[msisdn], msisdn, payload))
            if found.given_up:
                gone += [piece.id for piece in found.given_up]
                given_up.append(_given_up(msisdn, owners, len(found.given_up)))
        handled(part_ids=gone, now=now)
    whole.sort(key=lambda message: max(message.part_ids))
    return Ripe(whole, given_up, min(due, default=None))


def _piece(row: SmsPart) -> Piece:
    return Piece(row.pk, row.number, row.total, bytes(row.payload), row.received_at)


def _given_up(msisdn: str, owners: Mapping[str, sms_numbers.Owner], parts: int) -> GivenUp:
    owner = owners.get(msisdn)
    detail = f"{parts} parts of a message were given up: others are missing, or may be of another message."
    return GivenUp(msisdn, Refused("SMS_INCOMPLETE", owner.device_id if owner else None, detail), parts)


def unreadable(*, operator_id: int, said: Sequence[tuple[str, str]]) -> list[Refused]:
    """Why messages that cannot be read, each a number and what is wrong, are not taken."""
    owners = sms_numbers.owners((msisdn for msisdn, _ in said), operator_id=operator_id)
    found = []
    for msisdn, detail in said:
        owner = owners.get(msisdn)
        refused = _judge(owner, operator_id)
        found.append(refused or Refused("MESSAGE_MALFORMED", owner.device_id if owner else None, detail))
    return found


def _judge(owner: sms_numbers.Owner | None, operator_id: int, total: int = 1) -> Refused | None:
    if owner is None:
        return Refused("MSISDN_UNKNOWN")
    if owner.operator_id != operator_id:
        return Refused("MSISDN_MISMATCH", owner.device_id)
    if total > MAX_PARTS:
        detail = f"A message of {total} SMS; at most {MAX_PARTS} are taken."
        return Refused("MESSAGE_MALFORMED", owner.device_id, detail)
    return None


def _bound(
    operator_id: int, numbers: Iterable[str], owners: Mapping[str, sms_numbers.Owner], now: datetime
) -> list[GivenUp]:
    """Of each number keep the newest; what is given up counts as handled."""
    given_up = []
    for number in numbers:
        rows = SmsPart.objects.filter(operator_id=operator_id, msisdn=number, handled_at=None, joined=None)
        parts = rows.exclude(concat=None).order_by("-id").values_list("pk", flat=True)
        surplus = list(parts[MAX_INCOMPLETE : MAX_INCOMPLETE + 500])
        if surplus:
            handled(part_ids=surplus, now=now)
            given_up.append(_given_up(number, owners, len(surplus)))
    return given_up


def _told(rows: Iterable[SmsPart]) -> list[tuple[tuple[int, ...], str, bytes]]:
    """The messages that these rows are, each by its parts in their order, in the order of the last of them."""
    messages: dict[int, list[SmsPart]] = defaultdict(list)
    for row in rows:
        messages[row.joined or row.pk].append(row)
    found = []
    for parts in messages.values():
        parts.sort(key=lambda row: row.number)
        payload = b"".join(bytes(row.payload) for row in parts)
        found.append((tuple(row.pk for row in parts), parts[0].msisdn, payload))
    return sorted(found, key=lambda message: max(message[0]))


def unhandled(*, operator_id: int, before: datetime, limit: int) -> list[Whole]:
    """Whole messages that nobody worked off, received before a time, oldest first: after a restart, and after
    a store that failed."""
    waiting = SmsPart.objects.filter(operator_id=operator_id, handled_at=None, received_at__lte=before)
    rows = list(waiting.exclude(concat__isnull=False, joined=None).order_by("id")[:limit])
    joined = {row.joined for row in rows if row.joined is not None}
    if joined:  # the limit, or the time, may have cut a message in two
        more = SmsPart.objects.filter(operator_id=operator_id, handled_at=None, joined__in=joined)
        rows = list({row.pk: row for row in [*rows, *more.order_by("id")]}.values())
    owners = sms_numbers.owners((row.msisdn for row in rows), operator_id=operator_id)
    return [
        Whole(ids, owners[msisdn], msisdn, payload)
        for ids, msisdn, payload in _told(rows)
        if msisdn in owners
    ]


def handled(*, part_ids: Iterable[int], now: datetime) -> None:
    """These are worked off; call it in the transaction that queues the answer."""
    SmsPart.objects.filter(pk__in=list(part_ids), handled_at=None).update(handled_at=now)


def give_up(*, operator_id: int, now: datetime) -> int:
    """End what belongs to a number that is nobody's any more; returns how many parts."""
    waiting = SmsPart.objects.filter(operator_id=operator_id, handled_at=None)
    old = waiting.filter(received_at__lt=now - timedelta(seconds=STRANGER_SECONDS))
    numbers = set(old.values_list("msisdn", flat=True).distinct()[:1000])
    strangers = numbers - set(sms_numbers.owners(numbers, operator_id=operator_id))
    return waiting.filter(msisdn__in=strangers).update(handled_at=now)

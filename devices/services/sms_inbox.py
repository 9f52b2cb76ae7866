"""What came in by SMS: parts stored before they are acknowledged, and whole messages told once, in order.

A part that the SMSC tells again while its message is not worked off is one row. After that it is a new message: only
CoAP can tell a repetition of the device from one of the SMSC, and both want the same answer again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from audit import ledger
from devices.messaging import SmsPart
from devices.services import sms_numbers

INCOMPLETE_SECONDS = 3600
"""A message whose parts are not all there after this long is given up."""
MAX_PARTS = 32
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
    """A part that is not taken: of a number that is no device's here, or of too many parts."""

    cause: str
    device_id: int | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A message all of whose parts are there; `part_ids` are told to `handled` once it is worked off."""

    part_ids: tuple[int, ...]
    owner: sms_numbers.Owner
    msisdn: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """`refused` has an entry for each part in its order, None for those that were taken."""

    refused: list[Refused | None]
    whole: list[Whole]


def store(*, operator_id: int, parts: Sequence[Part], now: datetime) -> Stored:
    """Keep these parts, and return the messages that are whole now. When it returns, they may be acknowledged."""
    owners = sms_numbers.owners(part.msisdn for part in parts)
    refused = [_judge(part, owners.get(part.msisdn), operator_id) for part in parts]
    taken = [part for part, why in zip(parts, refused, strict=True) if why is None]
    numbers = {part.msisdn for part in taken}
    with ledger.unit_of_work():
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
        if split:
            _bound(operator_id, split, now)
        fresh = {row.pk for row in rows}
        candidates = [row for row in rows if row.concat is None]
        if split:
            candidates += list(open_ones.filter(msisdn__in=split).exclude(concat=None).order_by("id"))
    whole = [
        Whole(ids, owners[msisdn], msisdn, payload)
        for ids, msisdn, payload in _assembled(candidates)
        if not fresh.isdisjoint(ids)
    ]
    return Stored(refused, whole)


def _judge(part: Part, owner: sms_numbers.Owner | None, operator_id: int) -> Refused | None:
    if owner is None:
        return Refused("MSISDN_UNKNOWN")
    if owner.operator_id != operator_id:
        return Refused("MSISDN_MISMATCH", owner.device_id)
    return Refused("MESSAGE_MALFORMED", owner.device_id) if part.total > MAX_PARTS else None


def _bound(operator_id: int, numbers: Iterable[str], now: datetime) -> None:
    """Of each number keep the newest; what is given up counts as handled."""
    for number in numbers:
        rows = SmsPart.objects.filter(operator_id=operator_id, msisdn=number, handled_at=None)
        parts = rows.exclude(concat=None).order_by("-id").values_list("pk", flat=True)
        surplus = list(parts[MAX_INCOMPLETE : MAX_INCOMPLETE + 500])
        if surplus:
            SmsPart.objects.filter(pk__in=surplus).update(handled_at=now)


def _assembled(rows: Sequence[SmsPart]) -> list[tuple[tuple[int, ...], str, bytes]]:
    """The whole messages among these rows, by the id of the part that came last.

    Of two parts with the same place in the same message the newer counts: the reference came round.
    """
    found: list[tuple[tuple[int, ...], str, bytes]] = []
    groups: dict[tuple[str, int, int], list[SmsPart]] = defaultdict(list)
    for row in rows:
        if row.concat is None:
            found.append(((row.pk,), row.msisdn, bytes(row.payload)))
        else:
            groups[row.msisdn, row.concat, row.total].append(row)
    for (msisdn, _, total), parts in groups.items():
        newest = {row.number: row for row in sorted(parts, key=lambda row: row.pk)}
        if set(newest) == set(range(1, total + 1)):
            payload = b"".join(bytes(newest[number].payload) for number in range(1, total + 1))
            found.append((tuple(sorted(row.pk for row in parts)), msisdn, payload))
    return sorted(found, key=lambda message: message[0][-1])


def unhandled(*, operator_id: int, before: datetime, limit: int) -> list[Whole]:
    """Whole messages that nobody worked off, received before a time, oldest first: after a restart, and after
    a store that failed."""
    waiting = SmsPart.objects.filter(operator_id=operator_id, handled_at=None, received_at__lte=before)
    rows = list(waiting.order_by("id")[:limit])
    split = {row.msisdn for row in rows if row.concat is not None}
    if split:  # the limit may have cut a message in two
        more = SmsPart.objects.filter(operator_id=operator_id, handled_at=None, msisdn__in=split)
        known = {row.pk for row in rows}
        rows += [row for row in more.exclude(concat=None).order_by("id") if row.pk not in known]
    owners = sms_numbers.owners(row.msisdn for row in rows)
    return [
        Whole(ids, owners[msisdn], msisdn, payload)
        for ids, msisdn, payload in _assembled(rows)
        if msisdn in owners
    ]


def handled(*, part_ids: Iterable[int], now: datetime) -> None:
    """These are worked off; call it in the transaction that queues the answer."""
    SmsPart.objects.filter(pk__in=list(part_ids), handled_at=None).update(handled_at=now)


def give_up(*, operator_id: int, now: datetime) -> int:
    """End what stayed incomplete, and what belongs to a number that is nobody's any more; returns how many parts."""
    waiting = SmsPart.objects.filter(operator_id=operator_id, handled_at=None)
    overdue = now - timedelta(seconds=INCOMPLETE_SECONDS)
    old = waiting.filter(received_at__lt=overdue)
    groups = (
        waiting.exclude(concat=None).values("msisdn", "concat", "total").annotate(last=Max("received_at"))
    )
    gone = 0
    for group in groups.filter(last__lt=overdue):
        named = {name: group[name] for name in ("msisdn", "concat", "total")}
        gone += waiting.filter(**named).update(handled_at=now)
    numbers = set(old.values_list("msisdn", flat=True).distinct()[:1000])
    strangers = numbers - set(sms_numbers.owners(numbers))
    return gone + waiting.filter(msisdn__in=strangers).update(handled_at=now)

"""Walks a chain from its first event to its head and says what does not fit; changes nothing.

It can run beside writers and the sealer: it looks only as far as the head stood when it began, and at the end asks
whether anything lies beyond the head as it stands then. Events that have no place yet are looked at by themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal, TypeAlias

from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from audit import canonical
from audit.models import FIRST_HASH, LedgerCheckpoint, LedgerEvent, LedgerHead, PersonalDatum

Kind: TypeAlias = Literal[
    "changed", "missing", "inserted", "head", "personal", "unguarded", "noted", "checkpoint", "unsealed"
]
UNSEALED_FOR = timedelta(minutes=10)
"""An event that is older has been forgotten by the sealer: no worker runs, or it cannot write."""
_PAGE = 1000
_READ = (*canonical.COLUMNS, "id", "sequence", "digest", "hash")


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    chain: int | None
    sequence: int | None
    text: str


@dataclass(slots=True)
class ChainReport:
    """`sequence` and `hash` are the head's: noted elsewhere, they expose a ledger rewritten as a whole."""

    chain: int
    sequence: int = 0
    hash: str = FIRST_HASH
    events: int = 0
    unsealed: int = 0  # events beside these that have no place yet
    epochs: int = 0  # that a known key has signed
    erased: int = 0  # personal strings that are no longer there, as they may
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: Kind, sequence: int | None, text: str) -> None:
        self.findings.append(Finding(kind, self.chain, sequence, text))


def chains() -> list[int]:
    """Every chain that has a head, a checkpoint or an event, ascending."""
    found = set(LedgerHead.objects.values_list("chain", flat=True))
    found.update(LedgerCheckpoint.objects.order_by().values_list("chain", flat=True).distinct())
    chain = LedgerEvent.objects.aggregate(least=Min("chain"))["least"]
    while chain is not None:  # from one chain to the next along the index, not through all events
        found.add(chain)
        chain = LedgerEvent.objects.filter(chain__gt=chain).aggregate(least=Min("chain"))["least"]
    return sorted(found)


def verify_chain(chain: int, *, now: datetime | None = None) -> ChainReport:
    """The events of the chain; `audit.attestation` looks at its checkpoints."""
    report = ChainReport(chain)
    head = LedgerHead.objects.filter(pk=chain).first()
    if head is None:
        limit = LedgerEvent.objects.filter(chain=chain).aggregate(last=Max("sequence"))["last"] or 0
        if limit:
            report.add("head", None, "the head of the chain is missing")
    else:
        report.sequence, report.hash, limit = head.sequence, head.hash, head.sequence
    last = _walk(report, limit)
    if head is not None:
        _compare_with_head(report, last)
        _look_beyond_head(report)
    _look_at_unsealed(report, now or timezone.now())
    return report


def loose_personal_data() -> list[Finding]:
    """Personal strings that belong to no event at all."""
    event = LedgerEvent.objects.filter(pk=OuterRef("event_id"))
    loose = PersonalDatum.objects.filter(~Exists(event)).order_by("id").values_list("id", "event_id")
    return [
        Finding(
            "personal",
            None,
            None,
            f"personal datum {pk} belongs to event id {event_id}, which does not exist",
        )
        for pk, event_id in loose.iterator()
    ]


def compare_with_note(chain: int, sequence: int, noted: str) -> Finding | None:
    """Whether the event that was once the head, and whose hash was noted elsewhere, is still that event."""
    stored = LedgerEvent.objects.filter(chain=chain, sequence=sequence).values_list("hash", flat=True).first()
    if stored == noted:
        return None
    text = f"event {sequence} is gone" if stored is None else f"event {sequence} no longer has the noted hash"
    return Finding("noted", chain, sequence, f"{text}: the chain was rewritten after the note was taken")


def _walk(report: ChainReport, limit: int) -> dict[str, Any] | None:
    last: dict[str, Any] | None = None
    trusted = True  # whether the event before was found as it was written
    rows = _rows(report.chain, limit)
    while page := list(islice(rows, _PAGE)):
        for row in page:
            report.events += 1
            trusted = _check(report, row, last, trusted)
            last = row
        _check_personal(report, page)
    return last


def _rows(chain: int, limit: int) -> Iterator[dict[str, Any]]:
    rows = LedgerEvent.objects.filter(chain=chain, sequence__lte=limit).order_by("sequence", "id")
    after = Q()
    # Two events of one sequence should not be; where the database keeps them apart by month, they can.
    while page := _read(rows.filter(after)[:_PAGE]):
        yield from page
        last = page[-1]
        # The first condition follows from the others; by it alone the index begins here and not at the chain's start.
        after = Q(sequence__gte=last["sequence"]) & (
            Q(sequence__gt=last["sequence"]) | Q(sequence=last["sequence"], id__gt=last["id"])
        )


def _read(events: QuerySet[LedgerEvent]) -> list[dict[str, Any]]:
    try:
        return list(events.values(*_READ))
    except ValueError:  # somebody wrote what is no time or no JSON into a row
        return [_read_one(pk) for pk in events.values_list("id", flat=True)]


def _read_one(pk: int) -> dict[str, Any]:
    event = LedgerEvent.objects.filter(pk=pk)
    try:
        found: dict[str, Any] = event.values(*_READ).get()
        return found
    except ValueError:
        return {**event.values("id", "sequence", "digest", "hash").get(), "version": 0, "personal": None}


def _check(report: ChainReport, row: dict[str, Any], last: dict[str, Any] | None, trusted: bool) -> bool:
    """Compare a row with itself and with the one before; returns whether it is as it was written."""
    sequence = row["sequence"]
    before = 0 if last is None else last["sequence"]
    if sequence <= before:
        report.add("inserted", sequence, f"event {sequence} stands where the chain has no place for it")
        return False
    if sequence > before + 1:
        report.add("missing", before + 1, _missing(before + 1, sequence - 1))
    if not _is_unchanged(row):
        report.add("changed", sequence, f"event {sequence} was changed: its digest does not fit its content")
        return False
    if sequence != before + 1 or _continues(row, last):
        return True
    if trusted:
        report.add(
            "changed",
            sequence,
            f"event {sequence} does not continue event {before}: one of them was replaced, or moved here",
        )
    return False


def _is_unchanged(row: dict[str, Any]) -> bool:
    try:
        texts = {column: canonical.json_text(row[column]) for column in canonical.JSON_COLUMNS}
        return bool(canonical.digest({**row, **texts}) == row["digest"])
    except (KeyError, ValueError, AttributeError, TypeError):  # no known version, no number, no time
        return False


def _continues(row: dict[str, Any], last: dict[str, Any] | None) -> bool:
    previous = FIRST_HASH if last is None or row["sequence"] == 1 else last["hash"]
    expected = canonical.chained(previous, sequence=row["sequence"], event_id=row["id"], digest=row["digest"])
    return bool(row["hash"] == expected)


def _missing(first: int, last: int) -> str:
    return f"event {first} is missing" if first == last else f"events {first} to {last} are missing"


def _check_personal(report: ChainReport, page: list[dict[str, Any]]) -> None:
    rows = {row["id"]: row for row in page if isinstance(row["personal"], dict)}  # else reported as changed
    if not rows:
        return
    committed = sum(len(row["personal"]) for row in rows.values())
    for datum in PersonalDatum.objects.filter(event_id__in=sorted(rows)).order_by("id").iterator():
        row = rows[datum.event_id]
        committed -= 1
        expected = row["personal"].get(datum.field)
        if expected != canonical.commitment(salt=bytes(datum.salt), value=datum.value):
            report.add(
                "personal",
                row["sequence"],
                f"the personal datum {datum.field!r} of {_called(row)} is not the original",
            )
    report.erased += max(committed, 0)


def _compare_with_head(report: ChainReport, last: dict[str, Any] | None) -> None:
    reached = 0 if last is None else last["sequence"]
    if reached < report.sequence:
        report.add(
            "missing", reached + 1, f"{_missing(reached + 1, report.sequence)} at the end of the chain"
        )
    elif report.hash != (FIRST_HASH if last is None else last["hash"]):
        report.add("head", reached, f"the head does not have the hash of event {reached}")


def _look_beyond_head(report: ChainReport) -> None:
    last = LedgerEvent.objects.filter(chain=report.chain).aggregate(last=Max("sequence"))["last"] or 0
    head = LedgerHead.objects.filter(pk=report.chain).values_list("sequence", flat=True).first() or 0
    if last > head:
        report.add("inserted", head + 1, f"events up to {last} stand beyond the head, which is at {head}")


def _look_at_unsealed(report: ChainReport, now: datetime) -> None:
    """They are on no chain yet; that they say what was written is known all the same."""
    waiting = LedgerEvent.objects.filter(chain=report.chain, sequence=None).order_by("id")
    oldest: datetime | None = None
    after = 0
    while page := _read(waiting.filter(id__gt=after)[:_PAGE]):
        after = page[-1]["id"]
        report.unsealed += len(page)
        for row in page:
            if not _is_unchanged(row):
                report.add(
                    "changed", None, f"{_called(row)} was changed: its digest does not fit its content"
                )
            elif oldest is None or row["at"] < oldest:
                oldest = row["at"]
        _check_personal(report, page)
    if oldest is not None and oldest < now - UNSEALED_FOR:
        report.add(
            "unsealed",
            None,
            f"{report.unsealed} events are not sealed, the oldest of {canonical.stamp(oldest)}: does a worker run?",
        )


def _called(row: dict[str, Any]) -> str:
    return f"event {row['sequence']}" if row["sequence"] else f"the unsealed event with id {row['id']}"

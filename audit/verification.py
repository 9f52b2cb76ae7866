"""Walks a chain from its first event to its head and says what does not fit; changes nothing.

It can run beside writers: it looks only as far as the head stood when it began, and at the end asks whether
anything lies beyond the head as it stands then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, TypeAlias

from django.db.models import Exists, Max, Min, OuterRef, QuerySet

from audit import canonical
from audit.models import FIRST_HASH, LedgerEvent, LedgerHead, PersonalDatum

Kind: TypeAlias = Literal[
    "changed", "missing", "inserted", "reordered", "head", "personal", "unguarded", "noted"
]
_PAGE = 1000


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
    erased: int = 0  # personal strings that are no longer there, as they may
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: Kind, sequence: int | None, text: str) -> None:
        self.findings.append(Finding(kind, self.chain, sequence, text))


def chains() -> list[int]:
    """Every chain that has a head or an event, ascending."""
    found = set(LedgerHead.objects.values_list("chain", flat=True))
    chain = LedgerEvent.objects.aggregate(least=Min("chain"))["least"]
    while chain is not None:  # from one chain to the next along the index, not through all events
        found.add(chain)
        chain = LedgerEvent.objects.filter(chain__gt=chain).aggregate(least=Min("chain"))["least"]
    return sorted(found)


def verify_chain(chain: int) -> ChainReport:
    report = ChainReport(chain)
    head = LedgerHead.objects.filter(pk=chain).first()
    if head is None:
        report.add("head", None, "the head of the chain is missing")
        limit = LedgerEvent.objects.filter(chain=chain).aggregate(last=Max("sequence"))["last"] or 0
    else:
        report.sequence, report.hash, limit = head.sequence, head.hash, head.sequence
    last = _walk(report, limit)
    if head is not None:
        _compare_with_head(report, last)
        _look_beyond_head(report)
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
    after: int | None = None
    while True:
        rows = LedgerEvent.objects.filter(chain=chain, sequence__lte=limit).order_by("sequence", "id")
        if after is not None:
            rows = rows.filter(sequence__gt=after)
        page = _read(rows[:_PAGE])
        if not page:
            return
        yield from page
        after = page[-1]["sequence"]


def _read(events: QuerySet[LedgerEvent]) -> list[dict[str, Any]]:
    try:
        return list(events.values(*canonical.COLUMNS, "id", "hash"))
    except ValueError:  # somebody wrote what is no time or no JSON into a row
        return [_read_one(pk) for pk in events.values_list("id", flat=True)]


def _read_one(pk: int) -> dict[str, Any]:
    event = LedgerEvent.objects.filter(pk=pk)
    try:
        return event.values(*canonical.COLUMNS, "id", "hash").get()
    except ValueError:
        return {
            **event.values("id", "sequence", "previous_hash", "hash").get(),
            "version": 0,
            "personal": None,
        }


def _check(report: ChainReport, row: dict[str, Any], last: dict[str, Any] | None, trusted: bool) -> bool:
    """Compare a row with itself and with the one before; returns whether it is as it was written."""
    sequence = row["sequence"]
    before = 0 if last is None else last["sequence"]
    if sequence <= before:
        report.add("inserted", sequence, f"event {sequence} stands where the chain has no place for it")
    elif sequence > before + 1:
        report.add("missing", before + 1, _missing(before + 1, sequence - 1))
    if last is not None and row["id"] < last["id"]:
        report.add(
            "reordered", sequence, f"event {sequence} was written before event {before}, which it follows"
        )
    unchanged = _is_unchanged(row)
    if not unchanged:
        report.add("changed", sequence, f"event {sequence} was changed: its hash does not fit its content")
    elif (
        trusted and sequence == before + 1 and row["previous_hash"] != (last["hash"] if last else FIRST_HASH)
    ):
        report.add(
            "changed",
            sequence,
            f"event {sequence} does not continue event {before}: "
            "that one was replaced, or events between them are gone",
        )
    return unchanged


def _is_unchanged(row: dict[str, Any]) -> bool:
    try:
        texts = {column: canonical.json_text(row[column]) for column in canonical.JSON_COLUMNS}
        return canonical.event_hash({**row, **texts}) == row["hash"]
    except (KeyError, ValueError, AttributeError):  # no known version, no number, no time
        return False


def _missing(first: int, last: int) -> str:
    return f"event {first} is missing" if first == last else f"events {first} to {last} are missing"


def _check_personal(report: ChainReport, page: list[dict[str, Any]]) -> None:
    rows = {row["id"]: row for row in page if isinstance(row["personal"], dict)}  # else reported as changed
    if not rows:
        return
    committed = sum(len(row["personal"]) for row in rows.values())
    data = PersonalDatum.objects.filter(
        event_id__gte=min(rows), event_id__lte=max(rows), event__chain=report.chain
    )
    for datum in data.order_by("id").iterator():
        row = rows.get(datum.event_id)
        if row is None:
            continue  # an id out of order was reported above
        committed -= 1
        expected = row["personal"].get(datum.field)
        if expected != canonical.commitment(salt=bytes(datum.salt), value=datum.value):
            report.add(
                "personal",
                row["sequence"],
                f"the personal datum {datum.field!r} of event {row['sequence']} is not the original",
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

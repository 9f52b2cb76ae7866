"""Events that somebody can cause without being known: so many an hour are written one by one, the rest is counted.

Nobody may delete from a chain, so nobody who needs no key to write there may write as much as they like. Each subject
(a device, a person) has a budget for each action and cause and hour, each operator one for all of them together. What
goes beyond is one event with its number once the hour is over (`audit.held_back`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from audit import locks
from audit.entries import Entry
from audit.models import StrangerTally

PER_SUBJECT = 12
PER_OPERATOR = 2_000
"""48,000 a day, whatever knocks: a chain of a year stays one that can be walked."""

Key = tuple[datetime, int, str, str, str]
"""Hour, chain, subject, action, cause; of an operator's own tally the three texts are empty."""


def admitted(entries: Sequence[Entry]) -> list[Entry]:
    """Those that are written. The ledger calls this as the last thing but one of a unit: it locks the tallies."""
    tallies = _locked({key for entry in entries for key in (_key(entry), _of_operator(entry))})
    kept = [entry for entry in entries if _is_admitted(entry, tallies)]
    StrangerTally.objects.bulk_update(tallies.values(), ["written", "held_back"])
    return kept


def _key(entry: Entry) -> Key:
    row = entry.row
    subject = row["target"] if row["device_id"] is None else f"device:{row['device_id']}"
    return (_hour(entry), entry.chain, subject, row["action"], row["cause"])


def _of_operator(entry: Entry) -> Key:
    return (_hour(entry), entry.chain, "", "", "")


def _hour(entry: Entry) -> datetime:
    at: datetime = entry.row["at"]
    return at.replace(minute=0, second=0, microsecond=0)


def _locked(keys: Iterable[Key]) -> dict[Key, StrangerTally]:
    """Made where missing, and locked in their order."""
    ordered = sorted(set(keys))
    StrangerTally.objects.bulk_create(
        [
            StrangerTally(hour=hour, chain=chain, subject=subject, action=action, cause=cause)
            for hour, chain, subject, action, cause in ordered
        ],
        ignore_conflicts=True,
    )
    subjects: dict[tuple[datetime, int], set[str]] = defaultdict(set)
    for hour, chain, subject, _, _ in ordered:
        subjects[hour, chain].add(subject)
    found: dict[Key, StrangerTally] = {}
    for (hour, chain), names in subjects.items():
        rows = StrangerTally.objects.filter(hour=hour, chain=chain, subject__in=names)
        for row in locks.rows(rows.order_by("subject", "action", "cause")):
            found[hour, row.chain, row.subject, row.action, row.cause] = row
    return {key: found[key] for key in ordered}


def _is_admitted(entry: Entry, tallies: dict[Key, StrangerTally]) -> bool:
    own, whole = tallies[_key(entry)], tallies[_of_operator(entry)]
    if own.written >= PER_SUBJECT or whole.written >= PER_OPERATOR:
        own.held_back += 1
        return False
    own.written += 1
    whole.written += 1
    return True

"""Compares a chain with its signed checkpoints: those of the database, and those that were kept elsewhere.

A checkpoint vouches for all that stands before it, so the newest one by a known key is enough for its chain; one by a
key that is known no more counts where such a newer one stands over it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from audit import checkpoints, signatures
from audit.checkpoints import Checkpoint
from audit.models import LedgerEvent
from audit.verification import ChainReport, Finding

_PART = 500
"""Checkpoints whose events are asked for at once: each hour makes one, and each question is put to every month."""


def add_stored(report: ChainReport) -> None:
    """What the checkpoints of this chain in the database say, into the report of its events."""
    found = list(checkpoints.stored(report.chain))
    report.epochs = sum(one.is_signed() for one in found)
    report.findings += _of_chain(found)
    report.findings += _gaps(found)


def compare(kept: Iterable[Checkpoint]) -> list[Finding]:
    """What does not fit checkpoints that were kept elsewhere, of any chains."""
    by_chain: dict[int, list[Checkpoint]] = defaultdict(list)
    for one in kept:
        by_chain[one.statement.chain].append(one)
    findings: list[Finding] = []
    for chain, found in sorted(by_chain.items()):
        findings += _of_chain(sorted(found))
        known = set(checkpoints.stored(chain))
        findings += [
            _finding(one, "is not in the database: it was taken away or replaced there")
            for one in sorted(found)
            if one.is_signed() and one not in known
        ]
    return findings


def _of_chain(found: Sequence[Checkpoint]) -> list[Finding]:
    """Of one chain, by epoch."""
    vouched = max((one.statement.sequence for one in found if one.is_signed()), default=0)
    findings: list[Finding] = []
    for start in range(0, len(found), _PART):
        part = found[start : start + _PART]
        hashes = _hashes(part)
        for one in part:
            findings += _of_one(one, vouched, hashes[one.statement.sequence])
    return findings


def _hashes(found: Sequence[Checkpoint]) -> dict[int, list[str]]:
    """Of the events that these name, by sequence. Where a month does not know of another, there may be two of one."""
    chain = found[0].statement.chain
    sequences = {one.statement.sequence for one in found if abs(one.statement.sequence) < 2**63}
    events = LedgerEvent.objects.filter(chain=chain, sequence__in=sorted(sequences))
    hashes: dict[int, list[str]] = defaultdict(list)
    for sequence, hash_ in events.order_by("sequence", "id").values_list("sequence", "hash"):
        if sequence is not None:
            hashes[sequence].append(hash_)
    return hashes


def _of_one(one: Checkpoint, vouched: int, hashes: list[str]) -> list[Finding]:
    said = one.statement
    if not signatures.is_known(said.key):
        if said.sequence >= vouched:
            return [_finding(one, f"is signed by a key that is not known here, {said.key}")]
    elif not one.is_signed():
        return [_finding(one, "was not signed by the key that it names")]
    if not hashes:
        return [_finding(one, f"says {said.sequence} events, and event {said.sequence} is gone")]
    if hashes != [said.hash]:
        return [_finding(one, f"knows another event {said.sequence}: the chain was rewritten since")]
    return []


def _gaps(found: Sequence[Checkpoint]) -> list[Finding]:
    """The database has them all: each epoch begins where the one before ended."""
    if not found:
        return []
    first = found[0].statement
    findings = []
    if first.epoch != 1 or first.count != first.sequence:
        findings.append(_finding(found[0], "is not the first: those before it are gone"))
    for before, after in pairwise(found):
        said = after.statement
        if (
            said.epoch != before.statement.epoch + 1
            or said.sequence - said.count != before.statement.sequence
        ):
            findings.append(_finding(after, "does not follow the one before it"))
    return findings


def _finding(one: Checkpoint, text: str) -> Finding:
    said = one.statement
    return Finding("checkpoint", said.chain, said.sequence, f"the checkpoint of epoch {said.epoch} {text}")

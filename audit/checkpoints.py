"""Closing epochs: a signed statement of how far a chain went and what its hash was, to be kept elsewhere too.

A statement is the JSON object of `COLUMNS` as `audit.canonical.dumps` writes it, `at` as `canonical.stamp` does. A line
of a file of checkpoints is that object with the `signature` in it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from audit import canonical, isolation, signatures
from audit.models import LedgerCheckpoint, LedgerEvent, LedgerHead

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """What a checkpoint says; `at` as text, for that is what is signed."""

    chain: int
    epoch: int
    sequence: int
    count: int
    hash: str
    at: str
    key: str

    def text(self) -> bytes:
        return canonical.dumps(asdict(self)).encode("ascii")


COLUMNS = tuple(Statement.__slots__)


@dataclass(frozen=True, slots=True, order=True)
class Checkpoint:
    """A statement with its signature, from the database or from a file."""

    statement: Statement
    signature: str

    def is_signed(self) -> bool:
        return signatures.is_signed(self.statement.text(), key=self.statement.key, signature=self.signature)

    def line(self) -> str:
        return canonical.dumps({**asdict(self.statement), "signature": self.signature})


class Unreadable(ValueError):
    """A line that is no checkpoint."""


def close_all(*, now: datetime) -> int:
    """Close the epoch of every chain that has grown since its last one; returns how many."""
    chains = list(LedgerHead.objects.order_by("chain").values_list("chain", flat=True))
    return isolation.one_by_one(chains, lambda chain: close(chain, now=now), what="closing_epoch")


def close(chain: int, *, now: datetime) -> bool:
    """False where nothing is new, another process was first, or the chain is not the one that was signed before."""
    head = LedgerHead.objects.filter(pk=chain).first()
    last = LedgerCheckpoint.objects.filter(chain=chain).order_by("-epoch").first()
    if head is None or head.sequence == (0 if last is None else last.sequence):
        return False
    if last is not None and not _continues(last):
        logger.error("epoch_not_closed chain=%d reason=event %d is not what was signed", chain, last.sequence)
        return False
    statement = Statement(
        chain=chain,
        epoch=1 if last is None else last.epoch + 1,
        sequence=head.sequence,
        count=head.sequence - (0 if last is None else last.sequence),
        hash=head.hash,
        at=canonical.stamp(now),
        key=signatures.signing_key(),
    )
    try:
        with transaction.atomic():
            LedgerCheckpoint.objects.create(
                **{**asdict(statement), "at": now}, signature=signatures.sign(statement.text())
            )
    except IntegrityError:
        return False
    return True


def stored(chain: int | None = None) -> Iterator[Checkpoint]:
    """Those of the database, of one chain or of all, by chain and epoch."""
    rows = LedgerCheckpoint.objects.order_by("chain", "epoch")
    if chain is not None:
        rows = rows.filter(chain=chain)
    for row in rows.iterator():
        said = {column: getattr(row, column) for column in COLUMNS}
        yield Checkpoint(Statement(**{**said, "at": canonical.stamp(row.at)}), row.signature)


def read(lines: Iterable[str]) -> Iterator[Checkpoint]:
    """Those of a file; raises Unreadable with the number of the line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            signature = said.pop("signature")
            statement = Statement(**said)
        except (ValueError, TypeError, AttributeError, KeyError):
            raise Unreadable(f"line {number} is no checkpoint") from None
        if not _is_shaped(statement, signature):
            raise Unreadable(f"line {number} is no checkpoint")
        yield Checkpoint(statement, signature)


def _is_shaped(statement: Statement, signature: object) -> bool:
    numbers = (statement.chain, statement.epoch, statement.sequence, statement.count)
    texts = (statement.hash, statement.at, statement.key, signature)
    return all(type(one) is int for one in numbers) and all(type(one) is str for one in texts)


def _continues(last: LedgerCheckpoint) -> bool:
    return LedgerEvent.objects.filter(chain=last.chain, sequence=last.sequence, hash=last.hash).exists()

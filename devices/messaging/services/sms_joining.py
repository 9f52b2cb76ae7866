"""Which parts make a message: those of one only, or none. Pure: parts in the order they came in, and what follows.

A concatenation reference comes round, begins anew when a device restarts, or is always the same, and nothing in a
part says which message it is of. So a message is joined when its parts have been quiet for a while, and only when no
other reading of what came is as good:

* Parts that came more than ten minutes apart are not of one message.
* Without a contradiction (two contents for one place, two totals) the parts may have come in any order.
* With one, only a run 1, 2, ... to the last that stands at the end is taken, and only when what came before could
  not have been whole and no longer pause is in it than before it. All others are given up: mixed values are worse
  than a message that the device sends again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

SETTLE = timedelta(seconds=2)
"""So long nothing else must come under the reference of a whole message, or as long as its parts were apart."""
SPAN = timedelta(minutes=10)
"""Parts further from the first one than this are of another message: SMSCs repeat within minutes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part as far as joining needs it; `content` is what tells it from another at its place."""

    id: int
    number: int
    total: int
    content: bytes
    came_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """`whole` are messages, each with its parts in their order, `given_up` the parts that will never be in one.

    What is in neither waits; `due_at` is when to look again, None for never.
    """

    whole: tuple[tuple[Piece, ...], ...] = ()
    given_up: tuple[Piece, ...] = ()
    due_at: datetime | None = None


def join(pieces: Sequence[Piece], now: datetime) -> Joined:
    """What the parts under one reference of one number make by now, given in the order in which they came."""
    whole: list[tuple[Piece, ...]] = []
    given_up: list[Piece] = []
    due_at: datetime | None = None
    chunks = _chunks(pieces)
    for chunk in chunks:
        message = _message(chunk)
        if message is None and not _covers(chunk):
            decided_at = chunk[0].came_at + SPAN
        else:
            decided_at = chunk[-1].came_at + max([SETTLE, *_gaps(message or ())])
        if chunk is chunks[-1] and now < decided_at:
            due_at = decided_at
            continue
        if message is not None:
            whole.append(message)
        given_up += [piece for piece in chunk if piece not in (message or ())]
    return Joined(tuple(whole), tuple(given_up), due_at)


def _chunks(pieces: Sequence[Piece]) -> list[tuple[Piece, ...]]:
    chunks: list[list[Piece]] = []
    for piece in pieces:
        if not chunks or piece.came_at - chunks[-1][0].came_at >= SPAN:
            chunks.append([])
        chunks[-1].append(piece)
    return [tuple(chunk) for chunk in chunks]


def _gaps(message: Sequence[Piece]) -> list[timedelta]:
    times = sorted(piece.came_at for piece in message)
    return [after - before for before, after in pairwise(times)]


def _message(chunk: Sequence[Piece]) -> tuple[Piece, ...] | None:
    """The one message that this makes, in the order of its parts; None when there is none, or more than one way."""
    total = chunk[-1].total
    if not _is_contradictory(chunk):
        in_order = {piece.number: piece for piece in chunk}
        return tuple(in_order[number] for number in sorted(in_order)) if _covers(chunk) else None
    before, run = chunk[:-total], tuple(chunk[-total:])
    is_run = [(piece.number, piece.total) for piece in run] == [(n, total) for n in range(1, total + 1)]
    if not is_run or _covers(before):
        return None
    # A device that begins anew does so between two messages: a pause within the run says that it is none.
    pause = max(_gaps(run))
    return None if pause > SETTLE and pause >= run[0].came_at - before[-1].came_at else run


def _is_contradictory(chunk: Sequence[Piece]) -> bool:
    places: dict[int, bytes] = {}
    return any(
        piece.total != chunk[0].total or places.setdefault(piece.number, piece.content) != piece.content
        for piece in chunk
    )


def _covers(pieces: Sequence[Piece]) -> bool:
    """Whether there is something for each place of a message."""
    there = {(piece.total, piece.number) for piece in pieces}
    return any(
        all((total, number) in there for number in range(1, total + 1))
        for total in {piece.total for piece in pieces}
    )

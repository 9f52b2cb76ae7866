"""The replay window of RFC 6347 section 4.1.2.6: 64 entries, as two integers that a session carries.

`top` is the newest sequence number that authenticated (-1 before the first), bit n of `seen` stands for
`top - n`.
"""

from __future__ import annotations

WINDOW = 64
MASK = (1 << WINDOW) - 1


def is_replay(top: int, seen: int, sequence: int) -> bool:
    """Whether this number was seen, or is too old to tell."""
    behind = top - sequence
    return behind >= 0 and (behind >= WINDOW or bool(seen >> behind & 1))


def advance(top: int, seen: int, sequence: int) -> tuple[int, int]:
    """The window after a record with this number authenticated; never call it before."""
    ahead = sequence - top
    if ahead > 0:
        return sequence, (seen << ahead | 1) & MASK if ahead < WINDOW else 1
    return top, seen | 1 << -ahead

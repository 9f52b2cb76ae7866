"""Endpoint names that differ by one slip of the finger: one character too many, too few, wrong, or two exchanged.

One step of the optimal string alignment distance (Damerau 1964), in time linear in the names' length.
"""

from __future__ import annotations

MIN_LENGTH = 4
"""Shorter names are all alike."""


def is_one_slip(one: str, other: str) -> bool:
    """Whether the names differ, and by one slip alone."""
    if one == other or min(len(one), len(other)) < MIN_LENGTH or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    start = _same_beginning(short, long)
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    if short[start + 1 :] == long[start + 1 :]:
        return True
    exchanged = short[start + 1 : start + 2] + short[start : start + 1]
    return exchanged == long[start : start + 2] and short[start + 2 :] == long[start + 2 :]


def intact_ends(name: str) -> tuple[str, str]:
    """A beginning and an end of the name: after one slip at least one of the two is still there."""
    half = len(name) // 2
    return name[: max(0, half - 1)], name[half + 1 :]


def _same_beginning(one: str, other: str) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )

"""Which of two notifications is the newer one (RFC 7641 section 3.4): numbers of 24 bits that begin anew."""

from __future__ import annotations

BITS = 24
_HALF = 1 << (BITS - 1)
FORGOTTEN_SECONDS = 128.0
"""After so long a number says nothing about the one before."""


def number(value: int | None) -> int | None:
    """The Observe option of a notification; a device may write more bits than there are."""
    return None if value is None else value & ((1 << BITS) - 1)


def is_late(value: int, newest: int, seconds_since: float) -> bool:
    """Whether a notification was overtaken by the one with the number `newest`, which came so many seconds before.

    The same number again is taken: a device that never counts would stay unheard, and no notification overtakes itself.
    """
    ahead = value - newest
    is_behind = -_HALF < ahead < 0 or ahead > _HALF
    return is_behind and seconds_since <= FORGOTTEN_SECONDS

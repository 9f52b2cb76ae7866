"""Which message ids were seen lately and what was answered (RFC 7252 section 4.5), bounded in time and number.

Two generations: lookups see both, new ids go into the younger, and when that one is full or half the time is over
the older is dropped whole. So nothing is ever swept, and nothing can grow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

EXCHANGE_LIFETIME = 247.0
LIMIT = 65_536


class _Unseen:
    pass


UNSEEN: Final = _Unseen()
Key = tuple[Hashable, int]


class RecentMessages:
    """(peer, message id) -> the datagram answered, or None while the answer is being made."""

    def __init__(
        self, clock: Callable[[], float], *, limit: int = LIMIT, seconds: float = EXCHANGE_LIFETIME
    ) -> None:
        self._clock = clock
        self._half = max(1, limit // 2)
        # Dropped when the generation after it is old enough: an id lives between one and two such spans.
        self._span = seconds
        self._young: dict[Key, bytes | None] = {}
        self._old: dict[Key, bytes | None] = {}
        self._turn_at = clock() + seconds

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Key) -> bytes | _Unseen | None:
        found = self._young.get(key, UNSEEN)
        return self._old.get(key, UNSEEN) if found is UNSEEN else found

    def begin(self, key: Key) -> None:
        """Remember that the answer to `key` is being made."""
        if len(self._young) >= self._half or self._clock() >= self._turn_at:
            self._old, self._young = self._young, {}
            self._turn_at = self._clock() + self._span
        self._young[key] = None

    def answered(self, key: Key, datagram: bytes) -> None:
        """Keep the answer, if `key` is still remembered."""
        if key in self._young:
            self._young[key] = datagram
        elif key in self._old:
            self._old[key] = datagram

    def forget(self, key: Key) -> None:
        """The next datagram with `key` is a new request: nothing was stored for this one."""
        self._young.pop(key, None)
        self._old.pop(key, None)

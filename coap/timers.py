"""Who is due when; what has changed its mind since is passed over."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class Timers(Generic[_Item]):
    """`is_due(item, at)` says whether a timer that was noted for `at` still counts."""

    __slots__ = ("_count", "_heap", "_is_due")

    def __init__(self, is_due: Callable[[_Item, float], bool]) -> None:
        self._is_due = is_due
        self._heap: list[tuple[float, int, _Item]] = []
        self._count = 0

    def note(self, at: float, item: _Item) -> None:
        self._count += 1
        heappush(self._heap, (at, self._count, item))

    def next(self) -> float | None:
        heap = self._heap
        while heap and not self._is_due(heap[0][2], heap[0][0]):
            heappop(heap)
        return heap[0][0] if heap else None

    def take(self, now: float) -> _Item | None:
        """One that is due; None when there is none any more."""
        at = self.next()
        return heappop(self._heap)[2] if at is not None and at <= now else None

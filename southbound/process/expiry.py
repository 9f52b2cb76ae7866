"""Lifetimes that end: a timer heap in memory for the near future, filled by a full scan every minute.

Only what ends within the horizon is held, one entry per device, and a refresh does not search the heap: whoever
comes due is looked at again in the database (`registrations.expire` decides under a lock). So nothing is lost when
this process dies, and several processes may look at the same device.
"""

from __future__ import annotations

import heapq

SCAN_SECONDS = 60.0
HORIZON_SECONDS = 90.0
"""More than a scan apart, so that every end is in the heap before it comes."""
STEP_SECONDS = 10.0
"""Below it a step of the clock is nothing to a lifetime."""


class Timers:
    """Device ids by the time their registration ends, within the horizon."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._ends: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def note(self, device_id: int, ends_at: float | None, *, now: float) -> None:
        """The registration of `device_id` ends then; None or beyond the horizon takes it out."""
        if ends_at is None or ends_at > now + HORIZON_SECONDS:
            self._ends.pop(device_id, None)
            return
        known = self._ends.get(device_id)
        self._ends[device_id] = ends_at
        # With a later end the old entry finds the new one when it comes due.
        if known is None or ends_at < known:
            heapq.heappush(self._heap, (ends_at, device_id))

    def due(self, *, now: float, limit: int = 500) -> list[int]:
        """Take out those whose end has come."""
        ripe: list[int] = []
        while self._heap and self._heap[0][0] <= now and len(ripe) < limit:
            _, device_id = heapq.heappop(self._heap)
            ends_at = self._ends.get(device_id)
            if ends_at is None:
                continue
            if ends_at > now:
                heapq.heappush(self._heap, (ends_at, device_id))
                continue
            del self._ends[device_id]
            ripe.append(device_id)
        return ripe

    def next_at(self) -> float | None:
        """When to look again; None while nothing is held."""
        return self._heap[0][0] if self._heap else None


class Steps:
    """Tells when somebody set the wall clock: it went another way than the clock that only counts."""

    def __init__(self, *, wall: float, counted: float) -> None:
        self._wall = wall
        self._counted = counted

    def seen(self, *, wall: float, counted: float) -> float:
        """By how many seconds the wall clock was set since the last look; 0 for what is slewed or measured badly."""
        step = (wall - self._wall) - (counted - self._counted)
        self._wall, self._counted = wall, counted
        return step if abs(step) >= STEP_SECONDS else 0.0

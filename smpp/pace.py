"""How fast messages may leave: a rate with a little burst, and a pause when the other side asks for less."""

from __future__ import annotations

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0


class Pace:
    """A token bucket. ``per_second`` 0 sets no limit; ``burst`` is how many may leave at one moment."""

    __slots__ = ("_at", "_burst", "_pause", "_paused_until", "_per_second", "_tokens")

    def __init__(self, per_second: float, burst: int = 1) -> None:
        self._per_second = per_second
        self._burst = float(max(1, burst))
        self._tokens = self._burst
        self._at: float | None = None
        self._pause = 0.0
        self._paused_until = float("-inf")

    def room(self, now: float) -> float:
        """How many may leave now; infinite without a limit."""
        if now < self._paused_until:
            return 0.0
        if self._per_second <= 0:
            return float("inf")
        if self._at is not None:
            earned = max(0.0, now - self._at) * self._per_second
            self._tokens = min(self._burst, self._tokens + earned)
        self._at = now
        # A billionth of a message is missing where floating point says so.
        return float(int(self._tokens + 1e-9))

    def spend(self, now: float) -> None:
        """One leaves; look at `room` before."""
        self.room(now)
        if self._per_second > 0:
            self._tokens = max(0.0, self._tokens - 1.0)

    def room_at(self, now: float) -> float:
        """When there is room for one; not before ``now``."""
        if now < self._paused_until:
            return self._paused_until
        missing = 0.0 if self.room(now) >= 1.0 else 1.0 - self._tokens
        return now + missing / self._per_second if missing else now

    def slow_down(self, now: float) -> None:
        """The other side is throttling: pause, each time longer, until something gets through."""
        if now < self._paused_until:
            return  # an answer to what left before the pause
        self._pause = min(max(PAUSE_SECONDS, 2 * self._pause), LONGEST_PAUSE_SECONDS)
        self._paused_until = now + self._pause

    def went_through(self) -> None:
        """The other side takes messages again."""
        self._pause = 0.0

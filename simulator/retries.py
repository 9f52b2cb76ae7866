"""How often and how long a device tries to register.

`OMA-TS-LightweightM2M_Core 6.2.1.2`, ``/1/x/17`` to ``/1/x/20``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.nameplate import Firmware
from simulator.objects import ObjectTree


@dataclass(frozen=True, slots=True)
class Retries:
    """``attempts`` in a sequence, pauses doubling from ``seconds``; ``sequences`` with a delay between."""

    attempts: int
    seconds: float
    limit_seconds: float
    sequences: int = 1
    sequence_seconds: float = 0.0

    @classmethod
    def of(cls, tree: ObjectTree, server_instance: int, firmware: Firmware) -> Retries:
        """What the account says, else what the firmware does on its own."""

        def said(resource_id: int) -> int | None:
            value = tree.value(1, server_instance, resource_id)
            return value if isinstance(value, int) and not isinstance(value, bool) else None

        attempts, seconds, delay, sequences = said(17), said(18), said(19), said(20)
        return cls(
            attempts=firmware.registration_attempts if attempts is None else max(1, attempts),
            seconds=firmware.retry_seconds if seconds is None else float(seconds),
            limit_seconds=firmware.retry_limit_seconds if seconds is None else float("inf"),
            sequences=1 if sequences is None else max(1, sequences),
            sequence_seconds=0.0 if delay is None else float(delay),
        )

    def pauses(self) -> Iterator[float | None]:
        """The pause after each attempt; None after the last."""
        for sequence in range(self.sequences):
            for attempt in range(self.attempts):
                if attempt + 1 < self.attempts:
                    yield backoff(attempt, self.seconds, self.limit_seconds)
                elif sequence + 1 < self.sequences:
                    yield self.sequence_seconds
                else:
                    yield None


def backoff(attempt: int, seconds: float, limit_seconds: float) -> float:
    """Doubling, bounded, and spread by a quarter so that a fleet does not knock in step."""
    pause = min(seconds * (1 << min(attempt, 20)), limit_seconds)
    return pause * random.uniform(0.875, 1.125)  # noqa: S311

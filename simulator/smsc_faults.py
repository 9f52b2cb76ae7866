"""What a loopback SMSC does wrong on purpose, so that tests can see how a portal or a device bears it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from smpp import Status


@dataclass
class SmscFaults:
    """Nothing is wrong by default; every field may be changed while the SMSC runs.

    ``throttle`` and ``refuse`` count down: so many submit_sm more are refused, with ESME_RTHROTTLED or with
    ``refuse_with``. ``silent`` counts submit_sm that are taken and never answered. ``slow_seconds`` delays each
    response and each delivery. ``drop`` and ``duplicate`` are shares (0 to 1) of the messages that are lost
    after they were accepted, or delivered twice, drawn from ``seed``. ``reorder`` above 1 holds so many
    messages to one number back and delivers them last first.
    """

    throttle: int = 0
    refuse: int = 0
    refuse_with: int = Status.INVDSTADR
    silent: int = 0
    slow_seconds: float = 0.0
    drop: float = 0.0
    duplicate: float = 0.0
    reorder: int = 0
    seed: int = 1
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311

    def refusal(self) -> int | None:
        """The status to refuse the next submit_sm with; None takes it."""
        if self.throttle > 0:
            self.throttle -= 1
            return Status.THROTTLED
        if self.refuse > 0:
            self.refuse -= 1
            return self.refuse_with
        return None

    def says_nothing(self) -> bool:
        """Whether the next submit_sm stays without a response."""
        if self.silent <= 0:
            return False
        self.silent -= 1
        return True

    def copies(self) -> int:
        """How often an accepted message is delivered: once, or not at all, or twice."""
        if self._dice.random() < self.drop:
            return 0
        return 2 if self._dice.random() < self.duplicate else 1

"""Where a device is between two messages, told from facts and a time: awake, asleep until, late or lost.

Never a stored field: it follows from the registration, so it cannot go stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

AWAKE_SECONDS = 93.0
"""`OMA-TS-LightweightM2M_Core 6.5`: a queue-mode client listens for MAX_TRANSMIT_WAIT after it spoke."""


class State(Enum):
    """The session of a device. LATE is past its lifetime but within the grace, LOST is past both."""

    NEVER_SEEN = "never_seen"
    REGISTERED = "registered"
    ASLEEP = "asleep"
    LATE = "late"
    LOST = "lost"


class Facts(Protocol):
    """What presence follows from: a `lwm2m.registration.Registration`, or a database row."""

    @property
    def queue_mode(self) -> bool: ...

    @property
    def last_seen_at(self) -> float: ...

    @property
    def expires_at(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Presence:
    """``awake_until`` is set while a queue-mode device listens, ``next_contact_by`` while it must call again.

    Both are seconds of the caller's clock.
    """

    state: State
    awake_until: float | None = None
    next_contact_by: float | None = None

    @property
    def is_reachable(self) -> bool:
        """True when a request may be sent now rather than held for the next contact (R-13)."""
        return self.state is State.REGISTERED


def presence(
    facts: Facts | None,
    now: float,
    awake_seconds: float = AWAKE_SECONDS,
    grace_seconds: float = 0.0,
) -> Presence:
    """Say where the device is; ``facts`` None means that it never registered.

    A device without queue mode counts as reachable until its lifetime ends. A queue-mode device is
    reachable for ``awake_seconds`` after it was last seen and asleep after that. A late device is
    expected until ``next_contact_by``, the end of the grace.
    """
    if facts is None:
        return Presence(State.NEVER_SEEN)
    expires_at = facts.expires_at
    if expires_at is not None and now >= expires_at:
        late_until = expires_at + grace_seconds
        return Presence(State.LATE, None, late_until) if now < late_until else Presence(State.LOST)
    if not facts.queue_mode:
        return Presence(State.REGISTERED, None, expires_at)
    awake_until = facts.last_seen_at + awake_seconds
    if now < awake_until:
        return Presence(State.REGISTERED, awake_until, expires_at)
    return Presence(State.ASLEEP, None, expires_at)

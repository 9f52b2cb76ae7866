"""Why there is no answer, and what makes a message unreadable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Malformed(ValueError):
    """No CoAP message: a format error (RFC 7252 section 3), or a response that must be rejected (section 5.4.1)."""


class Reason(Enum):
    """How a request can end without an answer. Every request ends as an answer or as one of these."""

    UNACKNOWLEDGED = "unacknowledged"
    """Nothing came, after all repetitions."""
    UNANSWERED = "unanswered"
    """The peer acknowledged the request and never answered it."""
    OVERDUE = "overdue"
    """The time that whoever asked had for the whole of it is over."""
    RESET = "reset"
    """The peer threw the request away."""
    UNREADABLE = "unreadable"
    """An answer came that CoAP does not allow: a broken message, or a block that was not asked for."""
    GONE = "gone"
    """The way to the peer is closed."""
    REFUSED = "refused"
    """Whoever carries messages to the peer does not take this one, now or later."""
    TOO_LARGE = "too large"
    """The peer takes no message of this size, and it cannot be sent in smaller ones."""


@dataclass(frozen=True, slots=True)
class Failed:
    """`detail` is a sentence for a person."""

    reason: Reason
    detail: str

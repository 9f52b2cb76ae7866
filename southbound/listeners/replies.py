"""What comes of a request to a device: its answer, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from coap import Reason

_CAUSES = {
    Reason.UNACKNOWLEDGED: "DEVICE_UNREACHABLE",
    Reason.GONE: "DEVICE_UNREACHABLE",
    Reason.REFUSED: "SMS_REFUSED",
    Reason.TOO_LARGE: "MESSAGE_TOO_LARGE",
    Reason.UNANSWERED: "ACKNOWLEDGED_UNANSWERED",
    Reason.OVERDUE: "RESPONSE_TIMEOUT",
    Reason.RESET: "COMMAND_REFUSED",
    Reason.UNREADABLE: "ANSWER_UNREADABLE",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A device's answer: `code` may be one that has no name in `lwm2m.codes`."""

    code: int
    payload: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()
    observe: int | None = None
    """The Observe option: present where the device observes now."""
    max_age: int | None = None
    """Seconds; with 5.03, after which to come again (RFC 7252 section 5.9.3.4)."""


class NoReply(Exception):
    """There is no answer, for a `reason`; `detail` is a sentence for a person."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    @property
    def cause(self) -> str:
        """Of the catalogue."""
        return _CAUSES[self.reason]

    @property
    def is_reset(self) -> bool:
        """The device threw the request away."""
        return self.reason is Reason.RESET

"""What comes of a request to a device: its answer, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """A device's answer: `code` may be one that has no name in `lwm2m.codes`."""

    code: int
    payload: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()
    observe: int | None = None
    """The Observe option: present where the device observes now."""


class NoReply(Exception):
    """Nothing came: `cause` is DEVICE_UNREACHABLE (no ACK, or no way) or RESPONSE_TIMEOUT (an ACK at most).

    `is_reset` says that the device threw the request away with a RST.
    """

    def __init__(self, cause: str, detail: str, *, is_reset: bool = False) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail
        self.is_reset = is_reset

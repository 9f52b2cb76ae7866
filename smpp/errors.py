"""What can go wrong in the SMPP room. Bytes from the network raise only `Malformed`, and sessions catch that."""

from __future__ import annotations


class SmppError(Exception):
    """The base of this room's errors."""


class Malformed(SmppError):
    """Bytes that are no well-formed PDU or user data. ``status`` is the command_status to refuse them with."""

    def __init__(self, detail: str, status: int = 0x0000_0008) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status  # ESME_RSYSERR where nothing fits better


class NotBinary(SmppError):
    """A well-formed short message that is text: its data_coding is not 8-bit binary."""


class BadAddress(SmppError, ValueError):
    """No telephone number, short code or name that SMPP could carry."""


class TooLong(SmppError, ValueError):
    """More than the field, or the largest concatenation, can hold."""


class NotBound(SmppError):
    """The link is not bound: nothing can be submitted or delivered over it now."""


class NoRoom(SmppError):
    """The window is full or the throughput is spent; `room_at` says when it is worth another try."""

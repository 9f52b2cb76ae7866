"""PDUs out of a stream of bytes: the header (SMPP 3.4 section 3.2), with a bounded length."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from smpp.errors import Malformed
from smpp.status import Status

HEADER = 16
MAX_PDU = 72 * 1024  # a message_payload of 64 KiB, the longest there can be, and room for the rest
MAX_SEQUENCE = 0x7FFF_FFFF
_AFTER_LENGTH = struct.Struct(">3I")


@dataclass(frozen=True, slots=True)
class Frame:
    """One PDU whose body nobody has read yet."""

    command: int
    status: int
    sequence: int
    body: bytes


class Framer:
    """Feed it what arrives, take whole frames out.

    A length that cannot be raises `Malformed`, and from then on always: where the next PDU begins is not
    known any more, so the connection has to end.
    """

    __slots__ = ("_buffer", "_is_lost", "_limit")

    def __init__(self, limit: int = MAX_PDU) -> None:
        self._buffer = bytearray()
        self._limit = limit
        self._is_lost = False

    @property
    def buffered(self) -> int:
        """Bytes of a PDU that is not whole yet."""
        return len(self._buffer)

    def feed(self, octets: bytes) -> None:
        """Take bytes in. Call `take` until it says None before feeding more: that is what bounds the buffer."""
        if not self._is_lost:
            self._buffer += octets

    def take(self) -> Frame | None:
        """The next whole frame, None when there is none yet. Raises `Malformed`."""
        if self._is_lost:
            raise Malformed("the stream cannot be read any more", Status.INVCMDLEN)
        if len(self._buffer) < 4:
            return None
        length = int.from_bytes(self._buffer[:4], "big")
        if not HEADER <= length <= self._limit:
            self._is_lost = True
            self._buffer.clear()
            raise Malformed(f"a PDU cannot have {length} bytes", Status.INVCMDLEN)
        if len(self._buffer) < length:
            return None
        whole = bytes(self._buffer[:length])
        del self._buffer[:length]
        command, status, sequence = _AFTER_LENGTH.unpack_from(whole, 4)
        return Frame(command, status, sequence, whole[HEADER:])

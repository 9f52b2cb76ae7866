"""The user data header (3GPP TS 23.040 section 9.2.3.24): application ports and concatenation."""

from __future__ import annotations

from dataclasses import dataclass

from smpp.errors import Malformed, TooLong
from smpp.status import Status

CONCAT_8, PORTS_8, PORTS_16, CONCAT_16 = 0x00, 0x04, 0x05, 0x08
MAX_USER_DATA = 140
MAX_PARTS = 255


@dataclass(frozen=True, slots=True)
class Ports:
    """Application ports (9.2.3.24.3 and .4): whom the message is for, and who sent it."""

    destination: int
    source: int


@dataclass(frozen=True, slots=True)
class Concat:
    """Which part of which message (9.2.3.24.1 and .8); ``number`` counts from 1."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Header:
    """What of a user data header has a meaning here."""

    ports: Ports | None = None
    concat: Concat | None = None


NO_HEADER = Header()
COAP = Ports(5683, 5683)
"""The ports of CoAP without security, RFC 7252 section 6.1."""


def encode(header: Header) -> bytes:
    """The header with its length in front; b"" for an empty one. Raises `TooLong`.

    A reference above 255 takes the 16-bit form, a smaller one the 8-bit form, which every handset knows.
    """
    elements = b""
    if header.ports is not None:
        elements += bytes((PORTS_16, 4)) + _words(header.ports.destination, header.ports.source)
    if header.concat is not None:
        part = header.concat
        if not 1 <= part.number <= part.total <= MAX_PARTS:
            raise TooLong(f"part {part.number} of {part.total}: there are 1 to {MAX_PARTS}")
        if part.reference > 0xFF:
            elements += bytes((CONCAT_16, 4)) + _words(part.reference) + bytes((part.total, part.number))
        else:
            elements += bytes((CONCAT_8, 3, part.reference, part.total, part.number))
    return bytes((len(elements),)) + elements if elements else b""


def decode(user_data: bytes) -> tuple[Header, bytes]:
    """Header and payload of user data that is said to begin with a header. Raises `Malformed`.

    Unknown elements are skipped; of an element that is there twice the last one counts (9.2.3.24).
    """
    if not user_data or user_data[0] >= len(user_data):
        raise Malformed("the user data header is longer than the user data", Status.INVMSGLEN)
    end = 1 + user_data[0]
    at, ports, concat = 1, None, None
    while at < end:
        if at + 2 > end or at + 2 + user_data[at + 1] > end:
            raise Malformed("an element of the user data header is cut off", Status.INVMSGLEN)
        kind, value = user_data[at], user_data[at + 2 : at + 2 + user_data[at + 1]]
        at += 2 + len(value)
        if kind in _PORT_BYTES:
            ports = _ports(value, _PORT_BYTES[kind])
        elif kind in _REFERENCE_BYTES:
            concat = _concat(value, _REFERENCE_BYTES[kind]) or concat
    return Header(ports, concat), user_data[end:]


_PORT_BYTES = {PORTS_8: 1, PORTS_16: 2}
_REFERENCE_BYTES = {CONCAT_8: 1, CONCAT_16: 2}


def _ports(value: bytes, size: int) -> Ports:
    if len(value) != 2 * size:
        raise Malformed("application ports of the wrong length", Status.INVMSGLEN)
    return Ports(int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big"))


def _concat(value: bytes, size: int) -> Concat | None:
    if len(value) != size + 2:
        raise Malformed("a concatenation of the wrong length", Status.INVMSGLEN)
    return numbering(int.from_bytes(value[:size], "big"), value[size], value[size + 1])


def numbering(reference: int, total: int, number: int) -> Concat | None:
    """Which part of how many; None for a numbering that cannot be, which is ignored as a whole.

    That is a total or a number of 0, and a number above the total (9.2.3.24.1). Several SMSCs send the element
    or the parameters with every message, all zero.
    """
    return Concat(reference, total, number) if 1 <= number <= total else None


def _words(*values: int) -> bytes:
    if any(not 0 <= value <= 0xFFFF for value in values):
        raise TooLong(f"{values} do not fit in 16 bits")
    return b"".join(value.to_bytes(2, "big") for value in values)

"""CoAP's options: the one walk over them, for datagrams and streams, requests, responses and signals alike.

An option whose value is outside its defined length, that came once too often, or that is not defined for the message
it is in, is treated like one that is not known (RFC 7252 sections 5.4, 5.4.3 and 5.4.5): ignored when it is elective,
the message rejected when it is critical.
"""

from __future__ import annotations

from coap.errors import Malformed

MAX_OPTIONS = 64

URI_HOST, OBSERVE, URI_PORT, LOCATION_PATH, OSCORE, URI_PATH, CONTENT_FORMAT = 3, 6, 7, 8, 9, 11, 12
ETAG = 4
MAX_AGE, URI_QUERY, ACCEPT, BLOCK2, BLOCK1, PROXY_URI, PROXY_SCHEME, SIZE1 = 14, 15, 17, 23, 27, 35, 39, 60

TEXT_BYTES = 255
"""Of one segment of a path or item of a query (RFC 7252 section 5.10)."""
FORMAT_BYTES = 2
MAX_AGE_BYTES = 4
SIZE_BYTES = 4
ETAG_BYTES = range(1, 9)
OBSERVE_BYTES = 4
"""Three by RFC 7641 section 2; clients that count on in 32 bits send a fourth (libcoap#91), and 24 are compared."""

CRITICAL_IN_REQUESTS: dict[int, range] = {
    URI_HOST: range(1, 256),
    URI_PORT: range(3),
    URI_PATH: range(TEXT_BYTES + 1),
    URI_QUERY: range(TEXT_BYTES + 1),
    ACCEPT: range(FORMAT_BYTES + 1),
    BLOCK2: range(4),
    BLOCK1: range(4),
}
"""Critical options that are understood, with how many bytes they may have (RFC 7252 section 5.10, RFC 7959 2.1)."""
CRITICAL_IN_RESPONSES: dict[int, range] = {BLOCK2: range(4), BLOCK1: range(4)}
_REPEATABLE = frozenset({URI_PATH, URI_QUERY})

Option = tuple[int, bytes]


def walk(data: bytes, start: int) -> tuple[list[Option], bytes]:
    """All options from `start` on, in their order, and the payload. Raises `Malformed`."""
    found: list[Option] = []
    number = 0
    at, end = start, len(data)
    payload = b""
    while at < end:
        head = data[at]
        at += 1
        if head == 0xFF:
            if at == end:
                raise Malformed("a payload marker without a payload")
            payload = data[at:]
            break
        delta = head >> 4
        length = head & 15
        if delta > 12:
            delta, at = _extended(data, delta, at)
        if length > 12:
            length, at = _extended(data, length, at)
        number += delta
        stop = at + length
        if stop > end:
            raise Malformed("an option reaches beyond the message")
        found.append((number, data[at:stop]))
        at = stop
    if number > 0xFFFF:
        raise Malformed("an option number above 65535")
    return found, payload


def _extended(data: bytes, nibble: int, at: int) -> tuple[int, int]:
    width = nibble - 12
    if nibble == 15 or at + width > len(data):
        raise Malformed("an option header that is cut off")
    if width == 1:
        return data[at] + 13, at + 1
    return (data[at] << 8) + data[at + 1] + 269, at + 2


def problem(number: int, value: bytes, before: int, known: dict[int, range]) -> str | None:
    """Why a critical option cannot be understood, in words; None when it can. `before` is the number before it."""
    if number not in known:
        return f"The critical option {number} is not understood."
    if len(value) not in known[number]:
        return f"The critical option {number} cannot have {len(value)} bytes."
    if number == before and number not in _REPEATABLE:
        return f"The critical option {number} came twice."
    return None


def write(out: bytearray, last: int, number: int, value: bytes) -> int:
    """Append an option behind the one with the number `last`; returns its own number."""
    if number - last < 13 and len(value) < 13:
        out.append(number - last << 4 | len(value))
        out += value
        return number
    delta, delta_more = _nibble(number - last)
    length, length_more = _nibble(len(value))
    out.append(delta << 4 | length)
    out += delta_more
    out += length_more
    out += value
    return number


def uint(value: int) -> bytes:
    """A number in as few bytes as it needs; none for 0 (RFC 7252 section 3.2)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _nibble(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes((value - 13,))
    return 14, (value - 269).to_bytes(2, "big")

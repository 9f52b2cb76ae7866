"""The short lane's CoAP codec (RFC 7252 section 3): what a million small requests need, and nothing that grows.

aiocoap's codec serves the other lane. It is not used here because it keeps every option number it ever saw, reads a
token length above 8, and lets a UnicodeDecodeError out; and because this one costs less than half per datagram
(docs/performance.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from lwm2m.codes import Code
from lwm2m.messages import Request, Response

CON, NON, ACK, RST = range(4)

MAX_DATAGRAM = 4096
"""Larger ones are answered 4.13; a client with more to say uses Block1 (RFC 7959)."""
MAX_OPTIONS = 64
MAX_TOKEN = 8

URI_HOST, OBSERVE, URI_PORT, LOCATION_PATH, URI_PATH, CONTENT_FORMAT = 3, 6, 7, 8, 11, 12
MAX_AGE, URI_QUERY, ACCEPT, BLOCK2, BLOCK1, PROXY_URI, PROXY_SCHEME = 14, 15, 17, 23, 27, 35, 39
_HANDLED_ELSEWHERE = frozenset({URI_HOST, URI_PORT, BLOCK2})


class Malformed(Exception):
    """No CoAP message (RFC 7252 section 4.2): answered with silence."""


class BadOption(Exception):
    """A critical option that is not understood, or cannot be read: answered with `code`."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Block:
    """A Block1 option (RFC 7959 section 2.2)."""

    number: int
    more: bool
    size_exponent: int

    @property
    def size(self) -> int:
        return 1 << (self.size_exponent + 4)

    def encode(self) -> bytes:
        return _uint(self.number << 4 | self.more << 3 | self.size_exponent)


def read_request(data: bytes, start: int, code: int, confirmable: bool) -> tuple[Request, Block | None]:
    """The options and payload of a request from `start` on. Raises `Malformed` and `BadOption`."""
    path: list[bytes] = []
    query: list[bytes] = []
    content_format = accept = observe = block = None
    payload = b""
    number = count = 0
    at, end = start, len(data)
    while at < end:
        delta = data[at] >> 4
        length = data[at] & 15
        at += 1
        if delta == 15 and length == 15:
            if at == end:
                raise Malformed("a payload marker without a payload")
            payload = data[at:]
            break
        if delta > 12:
            delta, at = _extended(data, delta, at)
        if length > 12:
            length, at = _extended(data, length, at)
        number += delta
        stop = at + length
        count += 1
        if stop > end or number > 0xFFFF:
            raise Malformed("an option reaches beyond the message")
        if count > MAX_OPTIONS:
            raise BadOption(Code.BAD_OPTION, f"More than {MAX_OPTIONS} options.")
        value = data[at:stop]
        at = stop
        if number == URI_PATH:
            path.append(value)
        elif number == URI_QUERY:
            query.append(value)
        elif number == CONTENT_FORMAT:
            content_format = int.from_bytes(value, "big") if length <= 2 else content_format
        elif number == ACCEPT:
            if length > 2:
                raise BadOption(Code.BAD_OPTION, "Accept is longer than two bytes.")
            accept = int.from_bytes(value, "big")
        elif number == OBSERVE:
            observe = int.from_bytes(value, "big") if length <= 3 else observe
        elif number == BLOCK1:
            block = _block(value)
        elif number & 1 and number not in _HANDLED_ELSEWHERE:
            if number in (PROXY_URI, PROXY_SCHEME):
                raise BadOption(Code.PROXYING_NOT_SUPPORTED, "This is no proxy.")
            raise BadOption(Code.BAD_OPTION, f"The critical option {number} is not understood.")
    try:
        request = Request(
            code,
            tuple([segment.decode() for segment in path]),
            tuple([item.decode() for item in query]),
            content_format,
            payload,
            confirmable,
            accept,
            observe,
        )
    except UnicodeDecodeError:
        raise BadOption(Code.BAD_OPTION, "Uri-Path and Uri-Query must be UTF-8.") from None
    return request, block


@dataclass(frozen=True, slots=True)
class Said:
    """What a response says; `is_partial` is one block of several (RFC 7959 section 2.4)."""

    payload: bytes
    content_format: int | None
    observe: int | None
    is_partial: bool
    location: tuple[str, ...] = ()


def read_response(data: bytes, start: int) -> Said:
    """The options and payload of a response from `start` on. Raises `Malformed`."""
    content_format = observe = None
    is_partial = False
    location: tuple[str, ...] = ()
    number = count = 0
    at, end = start, len(data)
    while at < end:
        delta, length = data[at] >> 4, data[at] & 15
        at += 1
        if delta == 15 and length == 15:
            if at == end:
                raise Malformed("a payload marker without a payload")
            return Said(data[at:], content_format, observe, is_partial, location)
        if delta > 12:
            delta, at = _extended(data, delta, at)
        if length > 12:
            length, at = _extended(data, length, at)
        number += delta
        stop = at + length
        count += 1
        if stop > end or number > 0xFFFF or count > MAX_OPTIONS:
            raise Malformed("an option reaches beyond the message")
        if number == CONTENT_FORMAT:
            content_format = int.from_bytes(data[at:stop], "big")
        elif number == OBSERVE:
            observe = int.from_bytes(data[at:stop], "big")
        elif number == BLOCK2:
            block = int.from_bytes(data[at:stop], "big")
            is_partial = block & 8 != 0 or block >> 4 > 0
        elif number == LOCATION_PATH:
            location += (data[at:stop].decode(errors="replace"),)
        at = stop
    return Said(b"", content_format, observe, is_partial, location)


def check_options(data: bytes, start: int) -> None:
    """Raise `Malformed` unless the options from `start` on are well-formed: a bound before aiocoap's codec."""
    number = count = 0
    at, end = start, len(data)
    while at < end:
        delta, length = data[at] >> 4, data[at] & 15
        at += 1
        if delta == 15 and length == 15:
            return
        if delta > 12:
            delta, at = _extended(data, delta, at)
        if length > 12:
            length, at = _extended(data, length, at)
        number += delta
        at += length
        count += 1
        if at > end or number > 0xFFFF or count > MAX_OPTIONS:
            raise Malformed("an option reaches beyond the message")


def write_request(mid: int, token: bytes, request: Request) -> bytes:
    """The datagram of a confirmable request that needs neither blocks nor Observe."""
    out = bytearray((0x40 | len(token), request.code, mid >> 8, mid & 0xFF))
    out += token
    last = 0
    for segment in request.path:
        last = _option(out, last, URI_PATH, segment.encode())
    if request.content_format is not None:
        last = _option(out, last, CONTENT_FORMAT, _uint(request.content_format))
    for item in request.query:
        last = _option(out, last, URI_QUERY, item.encode())
    if request.accept is not None:
        _option(out, last, ACCEPT, _uint(request.accept))
    if request.payload:
        out.append(0xFF)
        out += request.payload
    return bytes(out)


def write_response(
    kind: int,
    mid: int,
    token: bytes,
    response: Response,
    *,
    max_age: int | None = None,
    block: Block | None = None,
) -> bytes:
    """The datagram of an answer."""
    out = bytearray((0x40 | kind << 4 | len(token), response.code, mid >> 8, mid & 0xFF))
    out += token
    last = 0
    for segment in response.location:
        last = _option(out, last, LOCATION_PATH, segment.encode())
    if response.content_format is not None:
        last = _option(out, last, CONTENT_FORMAT, _uint(response.content_format))
    if max_age is not None:
        last = _option(out, last, MAX_AGE, _uint(max_age))
    if block is not None:
        _option(out, last, BLOCK1, block.encode())
    if response.payload:
        out.append(0xFF)
        out += response.payload
    return bytes(out)


def write_empty(kind: int, mid: int) -> bytes:
    """An empty ACK or RST."""
    return bytes((0x40 | kind << 4, 0, mid >> 8, mid & 0xFF))


def _extended(data: bytes, nibble: int, at: int) -> tuple[int, int]:
    width = nibble - 12
    if nibble == 15 or at + width > len(data):
        raise Malformed("an option header that is cut off")
    if width == 1:
        return data[at] + 13, at + 1
    return (data[at] << 8) + data[at + 1] + 269, at + 2


def _block(value: bytes) -> Block:
    if len(value) > 3:
        raise BadOption(Code.BAD_OPTION, "Block1 is longer than three bytes.")
    number = int.from_bytes(value, "big")
    if number & 7 == 7:
        raise BadOption(Code.BAD_REQUEST, "Block1 has the reserved size 7.")
    return Block(number >> 4, bool(number & 8), number & 7)


def _option(out: bytearray, last: int, number: int, value: bytes) -> int:
    delta, delta_more = _nibble(number - last)
    length, length_more = _nibble(len(value))
    out.append(delta << 4 | length)
    out += delta_more
    out += length_more
    out += value
    return number


def _nibble(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes((value - 13,))
    return 14, (value - 269).to_bytes(2, "big")


def _uint(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")

"""Requests as bytes and responses from bytes (RFC 7252 section 3), bounded in number and width of options."""

from __future__ import annotations

from dataclasses import dataclass

from coap.errors import Malformed
from coap.options import (
    BLOCK2,
    CONTENT_FORMAT,
    CRITICAL_IN_RESPONSES,
    ETAG,
    ETAG_BYTES,
    FORMAT_BYTES,
    LOCATION_PATH,
    MAX_AGE,
    MAX_AGE_BYTES,
    MAX_OPTIONS,
    OBSERVE,
    OBSERVE_BYTES,
    TEXT_BYTES,
    Option,
    problem,
    uint,
    walk,
    write,
)

CON, NON, ACK, RST = range(4)


@dataclass(frozen=True, slots=True)
class Block:
    """A Block1 or Block2 option. `exponent` 7 is BERT: several units of 1,024 bytes (RFC 8323 section 6)."""

    number: int
    more: bool
    exponent: int

    @property
    def size(self) -> int:
        return 1 << (min(self.exponent, 6) + 4)

    @property
    def start(self) -> int:
        """Where in the whole the first byte of this block is."""
        return self.number * self.size

    def encode(self) -> bytes:
        return uint(self.number << 4 | self.more << 3 | self.exponent)

    @classmethod
    def decode(cls, value: bytes) -> Block:
        number = int.from_bytes(value, "big")
        return cls(number >> 4, bool(number & 8), number & 7)


@dataclass(frozen=True, slots=True)
class Request:
    """A request without message id and token; `options` are in the order of their numbers."""

    code: int
    options: tuple[Option, ...] = ()
    payload: bytes = b""

    def encode(self, mid: int, token: bytes) -> bytes:
        """The datagram of a confirmable message."""
        out = bytearray((0x40 | len(token), self.code, mid >> 8, mid & 0xFF))
        out += token
        last = 0
        for number, value in self.options:
            last = write(out, last, number, value)
        if self.payload:
            out.append(0xFF)
            out += self.payload
        return bytes(out)


@dataclass(frozen=True, slots=True)
class Response:
    """What a peer answered. Options that are absent, or too wide for what they say, are None."""

    code: int
    payload: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()
    observe: int | None = None
    max_age: int | None = None
    etag: bytes | None = None
    block1: Block | None = None
    block2: Block | None = None

    @property
    def is_success(self) -> bool:
        return self.code >> 5 == 2


def read_response(data: bytes) -> Response:
    """The response in a datagram of 4 bytes and more, whose token is whole.

    Raises `Malformed`, also for one that must be rejected for a critical option (RFC 7252 section 5.4.1).
    """
    found, payload = walk(data, 4 + (data[0] & 15))
    if not found:
        return Response(data[1], payload)
    if len(found) > MAX_OPTIONS:
        raise Malformed(f"more than {MAX_OPTIONS} options")
    content_format = observe = max_age = etag = block1 = block2 = None
    location: tuple[str, ...] = ()
    before = 0
    for number, value in found:
        length = len(value)
        if number & 1:
            wrong = problem(number, value, before, CRITICAL_IN_RESPONSES)
            if wrong is not None:
                raise Malformed(wrong)
            if number == BLOCK2:
                block2 = Block.decode(value)
            else:
                block1 = Block.decode(value)
        elif number == LOCATION_PATH:
            if length <= TEXT_BYTES:
                location += (value.decode(errors="replace"),)
        elif number == before:
            continue  # it may come once
        elif number == CONTENT_FORMAT and length <= FORMAT_BYTES:
            content_format = int.from_bytes(value, "big")
        elif number == OBSERVE and length <= OBSERVE_BYTES:
            observe = int.from_bytes(value, "big")
        elif number == MAX_AGE and length <= MAX_AGE_BYTES:
            max_age = int.from_bytes(value, "big")
        elif number == ETAG and length in ETAG_BYTES:
            etag = value
        before = number
    return Response(data[1], payload, content_format, location, observe, max_age, etag, block1, block2)


def empty(kind: int, mid: int) -> bytes:
    """An empty ACK or RST."""
    return bytes((0x40 | kind << 4, 0, mid >> 8, mid & 0xFF))

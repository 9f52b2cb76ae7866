"""Requests as bytes, and responses both ways (RFC 7252 section 3), bounded in number and width of options.

Requests from bytes stand in `coap.requests`.
"""

from __future__ import annotations

from dataclasses import dataclass

from coap.blocks import Block
from coap.errors import Malformed
from coap.options import (
    ACCEPT,
    BLOCK1,
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
    SIZE1,
    SIZE_BYTES,
    TEXT_BYTES,
    URI_PATH,
    URI_QUERY,
    Option,
    problem,
    uint,
    walk,
    write,
)

CON, NON, ACK, RST = range(4)


@dataclass(frozen=True, slots=True)
class Request:
    """A request without message id and token; `options` are in the order of their numbers."""

    code: int
    options: tuple[Option, ...] = ()
    payload: bytes = b""
    confirmable: bool = True

    @classmethod
    def of(
        cls,
        code: int,
        path: tuple[str, ...] = (),
        query: tuple[str, ...] = (),
        *,
        content_format: int | None = None,
        accept: int | None = None,
        observe: int | None = None,
        payload: bytes = b"",
        confirmable: bool = True,
    ) -> Request:
        """One with the options that have a name here."""
        options: list[Option] = []
        if observe is not None:
            options.append((OBSERVE, uint(observe)))
        options += [(URI_PATH, segment.encode()) for segment in path]
        if content_format is not None:
            options.append((CONTENT_FORMAT, uint(content_format)))
        options += [(URI_QUERY, item.encode()) for item in query]
        if accept is not None:
            options.append((ACCEPT, uint(accept)))
        return cls(code, tuple(options), payload, confirmable)

    def encode(self, mid: int, token: bytes) -> bytes:
        """The datagram."""
        kind = CON if self.confirmable else NON
        out = bytearray((0x40 | kind << 4 | len(token), self.code, mid >> 8, mid & 0xFF))
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
    """An answer or a notification. In one that came, options that are absent or too wide for what they say are None.

    `size1` is the largest request that is taken, said with 4.13 (RFC 7959 section 4).
    """

    code: int
    payload: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()
    observe: int | None = None
    max_age: int | None = None
    etag: bytes | None = None
    block1: Block | None = None
    block2: Block | None = None
    size1: int | None = None

    @property
    def is_success(self) -> bool:
        return self.code >> 5 == 2

    def encode(self, kind: int, mid: int, token: bytes) -> bytes:
        """The datagram."""
        return write_response(
            kind,
            mid,
            token,
            self.code,
            self.payload,
            content_format=self.content_format,
            location=self.location,
            max_age=self.max_age,
            observe=self.observe,
            etag=self.etag,
            block1=self.block1,
            block2=self.block2,
            size1=self.size1,
        )


def write_response(
    kind: int,
    mid: int,
    token: bytes,
    code: int,
    payload: bytes,
    *,
    content_format: int | None,
    location: tuple[str, ...],
    max_age: int | None,
    observe: int | None,
    etag: bytes | None,
    block1: Block | None = None,
    block2: Block | None = None,
    size1: int | None = None,
) -> bytes:
    """The datagram of a response, as `Response` says it; without making one for each answer."""
    out = bytearray((0x40 | kind << 4 | len(token), code, mid >> 8, mid & 0xFF))
    out += token
    last = 0
    if etag is not None:
        last = write(out, last, ETAG, etag)
    if observe is not None:
        last = write(out, last, OBSERVE, uint(observe))
    for segment in location:
        last = write(out, last, LOCATION_PATH, segment.encode())
    if content_format is not None:
        last = write(out, last, CONTENT_FORMAT, uint(content_format))
    if max_age is not None:
        last = write(out, last, MAX_AGE, uint(max_age))
    if block2 is not None:
        last = write(out, last, BLOCK2, block2.encode())
    if block1 is not None:
        last = write(out, last, BLOCK1, block1.encode())
    if size1 is not None:
        write(out, last, SIZE1, uint(size1))
    if payload:
        out.append(0xFF)
        out += payload
    return bytes(out)


def read_response(data: bytes) -> Response:
    """The response in a datagram of 4 bytes and more, whose token is whole.

    Raises `Malformed`, also for one that must be rejected for a critical option (RFC 7252 section 5.4.1).
    """
    found, payload = walk(data, 4 + (data[0] & 15))
    if not found:
        return Response(data[1], payload)
    if len(found) > MAX_OPTIONS:
        raise Malformed(f"more than {MAX_OPTIONS} options")
    content_format = observe = max_age = etag = block1 = block2 = size1 = None
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
        elif number == SIZE1 and length <= SIZE_BYTES:
            size1 = int.from_bytes(value, "big")
        before = number
    return Response(data[1], payload, content_format, location, observe, max_age, etag, block1, block2, size1)


def token_of(data: bytes) -> bytes:
    """The token of a message; empty where there is none or the message is cut off."""
    length = data[0] & 15 if data else 0
    return data[4 : 4 + length] if length <= 8 and len(data) >= 4 + length else b""


def empty(kind: int, mid: int) -> bytes:
    """An empty ACK or RST."""
    return bytes((0x40 | kind << 4, 0, mid >> 8, mid & 0xFF))

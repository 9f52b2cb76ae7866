"""The codec of what devices ask (RFC 7252 section 3): their requests from bytes, our answers to bytes.

What we ask them is written and read by `coap.message`; both walk through options in one place, `coap.options`. A codec
of our own: aiocoap's keeps every option number it ever saw, reads a token length above 8, lets a UnicodeDecodeError
out, and costs more than twice as much per datagram (docs/performance.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from coap import options
from coap.errors import Malformed
from coap.options import (
    ACCEPT,
    BLOCK1,
    BLOCK2,
    CONTENT_FORMAT,
    FORMAT_BYTES,
    LOCATION_PATH,
    MAX_AGE,
    MAX_OPTIONS,
    OBSERVE,
    OBSERVE_BYTES,
    OSCORE,
    PROXY_SCHEME,
    PROXY_URI,
    SIZE1,
    TEXT_BYTES,
    URI_PATH,
    URI_QUERY,
    uint,
    walk,
    write,
)
from lwm2m.codes import Code
from lwm2m.messages import Request, Response

__all__ = ["Malformed"]

CON, NON, ACK, RST = range(4)

MAX_DATAGRAM = 4096
"""Larger ones are answered 4.13; a client with more to say uses Block1 (RFC 7959)."""
MAX_TOKEN = 8
BERT_EXPONENT = 7
"""Over TCP this size says that blocks come in several of 1,024 bytes at once (RFC 8323 section 6); else reserved."""


class BadOption(Exception):
    """A critical option that is not understood, or cannot be read: answered with `code`, counted as `cause`."""

    def __init__(self, code: Code, detail: str, cause: str = "MESSAGE_MALFORMED") -> None:
        super().__init__(detail)
        self.code = code
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Block:
    """A Block1 option (RFC 7959 section 2.2)."""

    number: int
    more: bool
    size_exponent: int

    @property
    def size(self) -> int:
        """Bytes of one block; with BERT a message holds several."""
        return 1024 if self.size_exponent == BERT_EXPONENT else 1 << (self.size_exponent + 4)

    def encode(self) -> bytes:
        return uint(self.number << 4 | self.more << 3 | self.size_exponent)


def read_request(
    data: bytes, start: int, code: int, confirmable: bool, *, is_stream: bool = False
) -> tuple[Request, Block | None]:
    """The options and payload of a request from `start` on. Raises `Malformed` and `BadOption`."""
    found, payload = walk(data, start)
    if len(found) > MAX_OPTIONS:
        raise BadOption(Code.BAD_OPTION, f"More than {MAX_OPTIONS} options.")
    path: list[str] = []
    query: list[str] = []
    content_format = accept = observe = block = None
    before = 0
    try:
        for number, value in found:
            length = len(value)
            if number == URI_PATH and length <= TEXT_BYTES:
                path.append(value.decode())
            elif number == URI_QUERY and length <= TEXT_BYTES:
                query.append(value.decode())
            elif number & 1:
                _check(number, value, before)
                if number == ACCEPT:
                    accept = int.from_bytes(value, "big")
                elif number == BLOCK1:
                    block = _block(value, is_stream)
                elif number == BLOCK2:
                    _block(value, is_stream)
            elif number == CONTENT_FORMAT and length <= FORMAT_BYTES and number != before:
                content_format = int.from_bytes(value, "big")
            elif number == OBSERVE and length <= OBSERVE_BYTES and number != before:
                observe = int.from_bytes(value, "big")
            before = number
    except UnicodeDecodeError:
        raise BadOption(Code.BAD_OPTION, "Uri-Path and Uri-Query must be UTF-8.") from None
    request = Request(code, tuple(path), tuple(query), content_format, payload, confirmable, accept, observe)
    return request, block


def _check(number: int, value: bytes, before: int) -> None:
    """A critical option of a request."""
    if number in (PROXY_URI, PROXY_SCHEME):
        raise BadOption(Code.PROXYING_NOT_SUPPORTED, "This is no proxy.")
    if number == OSCORE:
        raise BadOption(
            Code.BAD_OPTION, "The message is protected by OSCORE (option 9).", "OSCORE_UNSUPPORTED"
        )
    problem = options.problem(number, value, before, options.CRITICAL_IN_REQUESTS)
    if problem is not None:
        raise BadOption(Code.BAD_OPTION, problem)


def write_response(
    kind: int,
    mid: int,
    token: bytes,
    response: Response,
    *,
    max_age: int | None = None,
    block: Block | None = None,
    size: int | None = None,
) -> bytes:
    """The datagram of an answer; `size` is the largest payload that is taken, said with 4.13 (Size1)."""
    out = bytearray((0x40 | kind << 4 | len(token), response.code, mid >> 8, mid & 0xFF))
    out += token
    last = 0
    for segment in response.location:
        last = write(out, last, LOCATION_PATH, segment.encode())
    if response.content_format is not None:
        last = write(out, last, CONTENT_FORMAT, uint(response.content_format))
    if max_age is not None:
        last = write(out, last, MAX_AGE, uint(max_age))
    if block is not None:
        last = write(out, last, BLOCK1, block.encode())
    if size is not None:
        write(out, last, SIZE1, uint(size))
    if response.payload:
        out.append(0xFF)
        out += response.payload
    return bytes(out)


def write_empty(kind: int, mid: int) -> bytes:
    """An empty ACK or RST."""
    return bytes((0x40 | kind << 4, 0, mid >> 8, mid & 0xFF))


def _block(value: bytes, is_stream: bool) -> Block:
    number = int.from_bytes(value, "big")
    if number & 7 == BERT_EXPONENT and not is_stream:
        raise BadOption(Code.BAD_REQUEST, "A block option has the reserved size 7.")
    return Block(number >> 4, bool(number & 8), number & 7)

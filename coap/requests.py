"""Requests from bytes (RFC 7252 section 3): what a peer asks, or why it has to be refused."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum

from coap.blocks import BERT, Block
from coap.codes import BAD_OPTION, BAD_REQUEST, PROXYING_NOT_SUPPORTED
from coap.duplicates import Seen
from coap.options import (
    ACCEPT,
    BLOCK1,
    BLOCK2,
    CONTENT_FORMAT,
    CRITICAL_IN_REQUESTS,
    FORMAT_BYTES,
    MAX_OPTIONS,
    OBSERVE,
    OBSERVE_BYTES,
    OSCORE,
    PROXY_SCHEME,
    PROXY_URI,
    TEXT_BYTES,
    URI_PATH,
    URI_QUERY,
    problem,
    walk,
)


class Fault(Enum):
    """Why a request was refused before anybody looked at what it asks for."""

    OPTION = "option"
    OSCORE = "oscore"
    """The message is protected by a security that is not spoken here (RFC 8613)."""
    SIZE = "size"


class Unacceptable(Exception):
    """A request that can be read as far as its token, and is answered with `code`; `detail` is a sentence."""

    def __init__(self, code: int, detail: str, fault: Fault = Fault.OPTION) -> None:
        super().__init__(detail)
        self.code = code
        self.fault = fault


class Asked:
    """A request of a peer, as a whole: `payload` is that of all its blocks, `data` its last message.

    Options that are absent, or too wide for what they say, are None. `confirmable` is true on a stream, which knows
    no types of messages. `block1` is the last block that came, `block2` the part of the answer that is wished for.
    """

    __slots__ = (
        "accept",
        "block1",
        "block2",
        "code",
        "confirmable",
        "content_format",
        "data",
        "is_acknowledged",
        "mid",
        "observe",
        "path",
        "payload",
        "peer",
        "query",
        "seen",
        "token",
    )

    def __init__(
        self, peer: Hashable, code: int, confirmable: bool, mid: int, token: bytes, data: bytes
    ) -> None:
        self.peer = peer
        self.code = code
        self.confirmable = confirmable
        self.mid = mid
        self.token = token
        self.data = data
        self.path: tuple[str, ...] = ()
        self.query: tuple[str, ...] = ()
        self.content_format: int | None = None
        self.accept: int | None = None
        self.observe: int | None = None
        self.payload = b""
        self.block1: Block | None = None
        self.block2: Block | None = None
        self.seen: Seen | None = None
        """What is remembered of it, so that a repetition is answered alike; None on a stream."""
        self.is_acknowledged = False
        """Its answer is a message of its own (RFC 7252 section 5.2.2)."""


def read_request(asked: Asked, start: int, *, takes_bert: bool = False) -> None:
    """Read the options and payload of `asked.data` from `start` on. Raises `Malformed` and `Unacceptable`.

    With `Unacceptable` nothing of it has been kept.
    """
    found, payload = walk(asked.data, start)
    if len(found) > MAX_OPTIONS:
        raise Unacceptable(BAD_OPTION, f"More than {MAX_OPTIONS} options.")
    path: list[str] = []
    query: list[str] = []
    content_format = accept = observe = block1 = block2 = None
    before = 0
    try:
        for number, value in found:
            if number == URI_PATH and len(value) <= TEXT_BYTES:
                path.append(value.decode())
            elif number == URI_QUERY and len(value) <= TEXT_BYTES:
                query.append(value.decode())
            elif number & 1:
                _check(number, value, before)
                if number == ACCEPT:
                    accept = int.from_bytes(value, "big")
                elif number == BLOCK1:
                    block1 = _block(value, takes_bert)
                elif number == BLOCK2:
                    block2 = _block(value, takes_bert)
            elif number == before:
                pass  # it may come once (RFC 7252 section 5.4.5)
            elif number == CONTENT_FORMAT and len(value) <= FORMAT_BYTES:
                content_format = int.from_bytes(value, "big")
            elif number == OBSERVE and len(value) <= OBSERVE_BYTES:
                observe = int.from_bytes(value, "big")
            before = number
    except UnicodeDecodeError:
        raise Unacceptable(BAD_OPTION, "Uri-Path and Uri-Query must be UTF-8.") from None
    asked.path = tuple(path)
    asked.query = tuple(query)
    asked.content_format = content_format
    asked.accept = accept
    asked.observe = observe
    asked.payload = payload
    asked.block1 = block1
    asked.block2 = block2


def _check(number: int, value: bytes, before: int) -> None:
    """A critical option."""
    if number in (PROXY_URI, PROXY_SCHEME):
        raise Unacceptable(PROXYING_NOT_SUPPORTED, "This is no proxy.")
    if number == OSCORE:
        raise Unacceptable(BAD_OPTION, "The message is protected by OSCORE (option 9).", Fault.OSCORE)
    wrong = problem(number, value, before, CRITICAL_IN_REQUESTS)
    if wrong is not None:
        raise Unacceptable(BAD_OPTION, wrong)


def _block(value: bytes, takes_bert: bool) -> Block:
    block = Block.decode(value)
    if block.exponent == BERT and not takes_bert:
        raise Unacceptable(BAD_REQUEST, "A block option has the reserved size 7.")
    return block

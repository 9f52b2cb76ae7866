"""CoAP messages as a device sends and receives them: aiocoap's codec between datagrams and plain values.

Only the codec of aiocoap is used. Its context keeps each exchange for minutes (`RFC 7252 section 4.8.2`
taken literally), which a process that plays thousands of devices cannot afford.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiocoap import Message
from aiocoap.error import Error
from aiocoap.numbers.codes import Code as CoapCode
from aiocoap.numbers.types import Type

from lwm2m.codes import Code
from lwm2m.messages import Request, Response

Block = tuple[int, bool, int]
"""Block number, "more follows", size exponent (`RFC 7959 section 2.2`)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much goes into one message: bytes of payload in a request and in an answer, and blocks of what is more."""

    request: int
    answer: int
    exponent: int


DATAGRAM_SIZES = Sizes(request=1024, answer=1024, exponent=6)
SMS_SIZES = Sizes(request=256, answer=104, exponent=2)
"""133 bytes are left of an SMS beside the ports: an answer, its options and 104 bytes, or a block of 64.

A request of ours may take two or three concatenated SMS: blocks would repeat its query, and each waits for an answer.
"""


class Kind(IntEnum):
    """Message types of `RFC 7252 section 3`."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What the device answers, or notifies when ``observe`` is set.

    ``silent`` answers nothing at all. ``delay_seconds`` makes it a separate response. ``afterwards`` is
    called once the answer has left: a device that reboots says 2.04 first.
    """

    code: Code
    payload: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()
    observe: int | None = None
    block1: Block | None = None
    block2: Block | None = None
    delay_seconds: float = 0.0
    silent: bool = False
    afterwards: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """One received message. ``request`` or ``response`` is set unless the message is empty."""

    kind: Kind
    mid: int
    token: bytes
    request: Request | None = None
    response: Response | None = None
    block1: Block | None = None
    block2: Block | None = None


def decode(datagram: bytes) -> Packet | None:
    """Read a datagram; None for what is no CoAP message (`RFC 7252 section 4.2`: silently ignored)."""
    try:
        message = Message.decode(datagram)
        return _packet(message)
    except (Error, ValueError, IndexError):
        return None


def _packet(message: Message) -> Packet | None:
    options = message.opt
    code = int(message.code)
    request = response = None
    content_format = None if options.content_format is None else int(options.content_format)
    if code >> 5 == 0 and code:
        request = Request(
            code=code,
            path=tuple(options.uri_path),
            query=tuple(options.uri_query),
            content_format=content_format,
            payload=message.payload,
            confirmable=message.mtype == Type.CON,
            accept=None if options.accept is None else int(options.accept),
            observe=options.observe,
        )
    elif code >> 5 in (2, 4, 5):
        response = Response(
            code=known_code(code),
            payload=message.payload,
            content_format=content_format,
            location=tuple(options.location_path),
        )
    elif code:
        return None
    return Packet(
        kind=Kind(int(message.mtype)),
        mid=message.mid,
        token=message.token,
        request=request,
        response=response,
        block1=_block(options.block1),
        block2=_block(options.block2),
    )


def _block(option: Any) -> Block | None:
    return None if option is None else (int(option[0]), bool(option[1]), int(option[2]))


def known_code(code: int) -> Code:
    """A code we have a name for; an unknown one counts as x.00 of its class (`RFC 7252 section 5.9`)."""
    try:
        return Code(code)
    except ValueError:
        return {2: Code.CONTENT, 4: Code.BAD_REQUEST}.get(code >> 5, Code.INTERNAL_SERVER_ERROR)


def encode_request(
    request: Request, *, mid: int, token: bytes, block1: Block | None = None, block2: Block | None = None
) -> bytes:
    """A request as a datagram; CON or NON as it says."""
    message = Message(
        code=CoapCode(int(request.code)),
        payload=request.payload,
    )
    message.mtype = Type.CON if request.confirmable else Type.NON
    message.mid, message.token = mid, token
    options = message.opt
    options.uri_path = request.path
    options.uri_query = request.query
    if request.content_format is not None:
        options.content_format = int(request.content_format)
    if request.accept is not None:
        options.accept = int(request.accept)
    if request.observe is not None:
        options.observe = request.observe
    _set_blocks(message, block1, block2)
    return bytes(message.encode())


def encode_answer(answer: Answer, *, kind: Kind, mid: int, token: bytes) -> bytes:
    """An answer or a notification as a datagram."""
    message = Message(
        code=CoapCode(int(answer.code)),
        payload=answer.payload,
    )
    message.mtype, message.mid, message.token = Type(int(kind)), mid, token
    options = message.opt
    if answer.location:
        options.location_path = answer.location
    if answer.content_format is not None:
        options.content_format = int(answer.content_format)
    if answer.observe is not None:
        options.observe = answer.observe
    _set_blocks(message, answer.block1, answer.block2)
    return bytes(message.encode())


def _set_blocks(message: Message, block1: Block | None, block2: Block | None) -> None:
    if block1 is not None:
        message.opt.block1 = block1
    if block2 is not None:
        message.opt.block2 = block2


def empty(kind: Kind, mid: int) -> bytes:
    """An empty ACK or RST."""
    return bytes((0x40 | kind << 4, 0, mid >> 8, mid & 0xFF))

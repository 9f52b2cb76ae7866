"""CoAP over reliable transports (RFC 8323): frames, the signalling messages, and one connection of them.

A frame has the code, token, options and payload of a datagram, but neither type nor message id: what those are for, the
transport does. `from_datagram` and `to_datagram` go between both forms, so that an `Endpoint` serves both alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coap.codes import ABORT, CSM, PING, PONG, RELEASE
from coap.errors import Malformed
from coap.message import CON, NON
from coap.options import Option, uint, walk

MAX_MESSAGE_SIZE = 4096
"""Ours, said in our CSM."""
PEER_MESSAGE_SIZE = 1152
"""What a peer takes until it says otherwise (RFC 8323 section 5.3.1)."""
_MAX_MESSAGE_SIZE, _BLOCK_WISE = 2, 4
_KNOWN = {CSM: {_MAX_MESSAGE_SIZE, _BLOCK_WISE}, PING: {2}, PONG: {2}, RELEASE: {2, 4}, ABORT: {2}}
_MAX_TOKEN = 8
_EMPTY = b"\x00\x00"
_EMPTIES = re.compile(rb"(?:\x00\x00)+")
"""As many as anybody likes are passed over at once: they are counted nowhere."""


class Broken(Exception):
    """The stream makes no sense from here on: the connection is ended with an Abort that says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`rest` are options and payload as they are on the wire."""

    code: int
    token: bytes
    rest: bytes

    def encode(self) -> bytes:
        length = len(self.rest)
        if length < 13:
            head = bytes((length << 4 | len(self.token),))
        elif length < 269:
            head = bytes((13 << 4 | len(self.token), length - 13))
        elif length < 65_805:
            head = bytes((14 << 4 | len(self.token),)) + (length - 269).to_bytes(2, "big")
        else:
            head = bytes((15 << 4 | len(self.token),)) + (length - 65_805).to_bytes(4, "big")
        return head + bytes((self.code,)) + self.token + self.rest

    def to_datagram(self, kind: int, mid: int) -> bytes:
        """The same message as it would come over UDP."""
        head = (0x40 | kind << 4 | len(self.token), self.code, mid >> 8, mid & 0xFF)
        return bytes(head) + self.token + self.rest


def from_datagram(data: bytes) -> Frame | None:
    """None for an empty message: an acknowledgement or reset has nothing to say here."""
    if data[1] == 0:
        return None
    end = 4 + (data[0] & 15)
    return Frame(data[1], data[4:end], data[end:])


class Splitter:
    """Takes a stream apart, in time that is linear in its bytes. What it holds back never exceeds one message."""

    def __init__(self, limit: int = MAX_MESSAGE_SIZE) -> None:
        self._limit = limit
        self._held = bytearray()
        self._at = 0

    @property
    def is_within(self) -> bool:
        """Whether a message has begun that is not whole."""
        return len(self._held) > self._at

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises `Broken`, after which nothing more can be fed."""
        self.add(data)
        while (frame := self.take()) is not None:
            yield frame

    def add(self, data: bytes) -> None:
        """What came; `take` gives out what is in it."""
        self._held += data

    def take(self) -> Frame | None:
        """The next frame, None when none is whole. Empty ones are left out. Raises `Broken`."""
        held, at = self._held, self._at
        if held.startswith(_EMPTY, at):  # keeps a connection alive and says nothing (RFC 8323 section 3.4)
            emptied = _EMPTIES.match(held, at)
            assert emptied is not None
            self._at = at = emptied.end()
        end = self._end(at)
        if end is None:
            del held[:at]
            self._at = 0
            return None
        self._at = end
        return _frame(bytes(held[at:end]))

    def _end(self, at: int) -> int | None:
        """Where the frame that begins at `at` ends; None when it is not there yet."""
        held = self._held
        if at >= len(held):
            return None
        head = held[at]
        width = max(0, (head >> 4) - 12)
        width = 4 if width == 3 else width
        if head & 15 > _MAX_TOKEN:
            raise Broken("a token of more than 8 bytes")
        if len(held) < at + 1 + width:
            return None
        length = head >> 4 if not width else _extended(held[at + 1 : at + 1 + width])
        size = 2 + width + (head & 15) + length
        if size > self._limit:
            raise Broken(f"a message of {size} bytes; at most {self._limit} are taken, use Block1")
        return at + size if len(held) >= at + size else None


class Stream:
    """One connection. Bytes in and the messages in them out, in the form of datagrams; datagrams in and bytes out.

    It says Pong to a Ping by itself: `take_sent` has what is to be written.
    """

    def __init__(self, *, limit: int = MAX_MESSAGE_SIZE) -> None:
        self.peer_size = PEER_MESSAGE_SIZE
        """The largest message that the peer takes, in bytes."""
        self.is_introduced = False
        """The peer said its capabilities."""
        self.is_released = False
        """The peer asks nothing more, and waits only for answers (section 5.5)."""
        self.is_aborted = False
        self._limit = limit
        self._splitter = Splitter(limit)
        self._sent: list[bytes] = []
        self._next_mid = 0

    @property
    def is_within(self) -> bool:
        """Whether a message has begun that is not whole."""
        return self._splitter.is_within

    def opening(self) -> bytes:
        """What has to be written before anything else."""
        return csm(self._limit)

    def add(self, data: bytes) -> None:
        """What came; `take` gives out what is in it."""
        if not self.is_released and not self.is_aborted:
            self._splitter.add(data)

    def take(self) -> bytes | None:
        """The next message, empty when it was a signal; None when none is whole. Raises `Broken`."""
        frame = self._splitter.take()
        if frame is None:
            return None
        if frame.code >> 5 == 7:
            self._signal(frame)
            return b""
        if not self.is_introduced:
            raise Broken("a message before the capabilities (CSM)")
        if frame.code == 0:
            return b""  # it keeps the connection alive and says nothing (section 3.4)
        self._next_mid = self._next_mid + 1 & 0xFFFF
        return frame.to_datagram(CON if frame.code < 0x20 else NON, self._next_mid)

    def take_sent(self) -> list[bytes]:
        sent, self._sent = self._sent, []
        return sent

    def _signal(self, frame: Frame) -> None:
        check_signal(frame)
        if not self.is_introduced and frame.code != CSM:
            raise Broken("the first message must be the capabilities (CSM)")
        if frame.code == CSM:
            self.is_introduced = True
            self.peer_size = said_size(frame) or self.peer_size
        elif frame.code == PING:
            self._sent.append(Frame(PONG, frame.token, b"").encode())
        elif frame.code == RELEASE:
            self._splitter, self.is_released = Splitter(self._limit), True
        elif frame.code == ABORT:
            self._splitter, self.is_aborted = Splitter(self._limit), True


def csm(size: int = MAX_MESSAGE_SIZE) -> bytes:
    """Our capabilities: the size that we take, and block-wise transfer; together they say BERT (section 5.3.2)."""
    value = uint(size)
    return Frame(CSM, b"", bytes((_MAX_MESSAGE_SIZE << 4 | len(value),)) + value + b"\x20").encode()


def said_size(frame: Frame) -> int | None:
    """The Max-Message-Size of a CSM; None when it says none (RFC 8323 section 5.3.1). Raises `Broken`."""
    for number, value in _options(frame):
        if number == _MAX_MESSAGE_SIZE and len(value) <= 4:
            return int.from_bytes(value, "big")
    return None


def abort(reason: str) -> bytes:
    """An Abort with a word for the engineer on the other side."""
    return Frame(ABORT, b"", b"\xff" + reason.encode()[:200]).encode()


def release() -> bytes:
    """The peer is to connect anew (section 5.5)."""
    return Frame(RELEASE, b"", b"").encode()


def check_signal(frame: Frame) -> None:
    """Raise `Broken` for a critical option that is not known (RFC 8323 section 5.2)."""
    known = _KNOWN.get(frame.code, set())
    for number, _ in _options(frame):
        if number & 1 and number not in known:
            raise Broken(f"signalling option {number} is not understood")


def _options(frame: Frame) -> list[Option]:
    try:
        found, _ = walk(frame.rest, 0)
    except Malformed as error:
        raise Broken(str(error)) from None
    return found


def _extended(digits: bytes | bytearray) -> int:
    return int.from_bytes(digits, "big") + {1: 13, 2: 269, 4: 65_805}[len(digits)]


def _frame(data: bytes) -> Frame:
    width = max(0, (data[0] >> 4) - 12)
    at = 1 + (4 if width == 3 else width)
    end = at + 1 + (data[0] & 15)
    return Frame(data[at], data[at + 1 : end], data[end:])

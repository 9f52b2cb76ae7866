"""The short lane: from a datagram's bytes to a request at the uplink, and from its answer back to bytes.

One lane per listening port. What belongs to an exchange that we began (ACK, RST, responses) goes to the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Protocol

from lwm2m.codes import Code
from lwm2m.messages import Request, Response
from lwm2m.registration import Origin
from lwm2m.wire import Plane
from southbound.counters import Counters
from southbound.transports import coap
from southbound.transports.blocks import MAX_BYTES, Assemblies
from southbound.transports.coap import Block
from southbound.transports.recent import RecentMessages, Seen
from southbound.transports.tuning import LARGEST_BLOCK_EXPONENT, Tuning

Transmit = Callable[[Hashable, bytes], None]

AROUND_A_BLOCK = 128
"""What header, token and options may take beside a payload: as RFC 7252 section 4.6 reckons with 1,152 for 1,024."""


class Replies(Protocol):
    """Where ACKs, RSTs and responses of devices go: the engine, which numbers all that is sent."""

    def receive(self, lane: Lane, peer: Hashable, data: bytes) -> None: ...

    def draw_mid(self, lane: Lane, peer: Hashable) -> int: ...


class Exchange:
    """One request of a device that waits for its answer; answered exactly once."""

    __slots__ = (
        "block",
        "came_at",
        "data",
        "kind",
        "lane",
        "mid",
        "origin",
        "peer",
        "request",
        "seen",
        "token",
    )

    def __init__(
        self,
        lane: Lane,
        peer: Hashable,
        kind: int,
        mid: int,
        token: bytes,
        request: Request,
        origin: Origin,
        block: Block | None,
        seen: Seen | None = None,
        data: bytes = b"",
    ) -> None:
        self.lane = lane
        self.peer = peer
        self.kind = kind
        self.mid = mid
        self.token = token
        self.request = request
        self.origin = origin
        self.block = block
        self.seen = seen
        self.data = data
        self.came_at = time.time()

    @property
    def plane(self) -> Plane:
        return self.lane.plane_of(self.request)

    def answer(self, response: Response, *, max_age: int | None = None, is_final: bool = True) -> None:
        """Send the answer; `is_final` false when a repetition of the request shall be tried anew."""
        self.lane.answer(self, response, max_age, is_final)


class Lane:
    """`receive` is called for each datagram, `transmit` sends one to a peer (an address or a DTLS session)."""

    def __init__(
        self,
        *,
        plane: Plane,
        transport: str,
        transmit: Transmit,
        take: Callable[[Exchange], None],
        replies: Replies,
        counters: Counters,
        clock: Callable[[], float],
        tuning: Tuning | None = None,
        room: Callable[[Hashable], int] | None = None,
    ) -> None:
        self.plane = plane
        self.transport = transport
        self.transmit = transmit
        self.tuning = tuning
        self._room = room
        self.is_stream = transport == "tcp"
        if tuning is None:
            self.recent = RecentMessages(clock)
            self._assemblies = Assemblies(clock)
        else:
            self.recent = RecentMessages(
                clock, seconds=tuning.exchange_seconds, non_seconds=tuning.unconfirmed_seconds
            )
            self._assemblies = Assemblies(clock, seconds=tuning.patience)
        self._take = take
        self._replies = replies
        self._counters = counters

    @property
    def block_exponent(self) -> int:
        """The largest blocks that fit a message here."""
        return LARGEST_BLOCK_EXPONENT if self.tuning is None else self.tuning.block_exponent

    @property
    def largest_exponent(self) -> int:
        """Of the blocks that a device may send."""
        return coap.BERT_EXPONENT if self.is_stream else self.block_exponent

    def block_exponent_of(self, peer: Hashable) -> int:
        """The largest blocks for this peer, which may take short ones only (RFC 6066 section 4, RFC 8323 5.3.1)."""
        if self._room is None:
            return self.block_exponent
        room = max(16, self._room(peer) - AROUND_A_BLOCK)
        return min(self.block_exponent, room.bit_length() - 5)

    def plane_of(self, request: Request) -> Plane:
        """Which server the request is for."""
        return self.plane

    def expect(self, peer: Hashable, mid: int) -> None:
        """A report of the peer is being stored; its `done` or an answer to it follows."""

    def done(self, peer: Hashable, mid: int) -> None:
        """Nothing more is said to the message with this id."""

    def drop(self, peer: Hashable, mid: int) -> None:
        """The message with this id could not be stored; it is as if it had not come."""

    def receive(
        self,
        data: bytes,
        peer: Hashable,
        address: tuple[str, int],
        identity: str | None = None,
        credential_id: int | None = None,
    ) -> None:
        """One datagram. On a stream it raises `coap.Malformed` for what makes no sense (RFC 8323 section 3.4)."""
        length = len(data)
        self._counters.datagrams += 1
        if length < 4 or data[0] >> 6 != 1:  # nothing that could be answered (RFC 7252 section 3)
            self._counters.malformed += 1
            return
        kind = data[0] >> 4 & 3
        code = data[1]
        token_end = 4 + (data[0] & 15)
        if token_end > 12 or length < token_end:
            self._reject(kind, data, peer, "a token of more than 8 bytes, or cut off")
        elif code == 0:
            self._empty(kind, data, peer)
        elif code < 0x20 and kind <= coap.NON:
            origin = Origin(address[0], address[1], self.transport, identity, credential_id)
            self._request(kind, code, data, token_end, peer, origin)
        elif 2 <= code >> 5 <= 5 and kind != coap.RST:
            self._reply(kind, data, peer)
        else:
            self._reject(kind, data, peer, "a reserved code, or one that its type cannot have")

    def answer(self, exchange: Exchange, response: Response, max_age: int | None, is_final: bool) -> None:
        confirmed = exchange.kind == coap.CON
        mid = exchange.mid if confirmed else self._replies.draw_mid(self, exchange.peer)
        block, size = exchange.block, None
        if response.code == Code.REQUEST_ENTITY_TOO_LARGE:  # RFC 7252 section 5.9.2.9, RFC 7959 section 2.9.3
            size = MAX_BYTES
            block = block or Block(0, True, self.block_exponent)
        if block is not None and block.size_exponent > self.largest_exponent:
            block = replace(block, size_exponent=self.largest_exponent)  # smaller ones from here on, please
        data = coap.write_response(
            coap.ACK if confirmed else coap.NON,
            mid,
            exchange.token,
            response,
            max_age=max_age,
            block=block,
            size=size,
        )
        if exchange.seen is not None:
            # Whether a Register that comes again made what stands is for its row to say: the registration may be over
            # since, and a device that starts anew with the same message would never learn so (leshan#697).
            is_made = response.code == Code.CREATED and block is None
            if is_final and not is_made:
                self.recent.keep(exchange.seen, data)
            else:
                self.recent.forget(exchange.seen)
        self._counters.answers += 1
        self.transmit(exchange.peer, data)

    def ping(self, peer: Hashable) -> None:
        """Whoever is there answers with a reset (RFC 7252 section 4.3)."""
        self.transmit(peer, coap.write_empty(coap.CON, self._replies.draw_mid(self, peer)))

    def _reject(self, kind: int, data: bytes, peer: Hashable, why: str) -> None:
        """Throw a message away that makes no sense: with a reset if it is confirmable (RFC 7252 section 4.2).

        A client that tries a longer token learns so that it cannot (RFC 8974 section 2.2.2).
        """
        self._counters.malformed += 1
        if self.is_stream:
            raise coap.Malformed(why)
        if kind == coap.CON:
            self.transmit(peer, coap.write_empty(coap.RST, data[2] << 8 | data[3]))

    def _empty(self, kind: int, data: bytes, peer: Hashable) -> None:
        if len(data) != 4:
            self._reject(kind, data, peer, "an empty message with something in it")
        elif kind == coap.CON:  # a CoAP ping (RFC 7252 section 4.3)
            self.transmit(peer, coap.write_empty(coap.RST, data[2] << 8 | data[3]))
        elif kind != coap.NON:
            self._replies.receive(self, peer, data)

    def _is_repeated(self, kind: int, data: bytes, peer: Hashable) -> bool:
        """Whether this message came before; a confirmable one gets the same answer again."""
        known = self.recent.find(peer, data[2] << 8 | data[3], data)
        if known is None:
            return False
        self._counters.duplicates += 1
        if known.answer is not None and kind == coap.CON:
            self.transmit(peer, known.answer)
        return True

    def _request(
        self,
        kind: int,
        code: int,
        data: bytes,
        token_end: int,
        peer: Hashable,
        origin: Origin,
    ) -> None:
        if not self.is_stream and self._is_repeated(kind, data, peer):
            return
        mid = data[2] << 8 | data[3]
        token = data[4:token_end]
        block, refusal = None, None
        try:
            if len(data) > coap.MAX_DATAGRAM:
                raise coap.BadOption(Code.REQUEST_ENTITY_TOO_LARGE, "The datagram is too large; use Block1.")
            request, block = coap.read_request(
                data, token_end, code, kind == coap.CON, is_stream=self.is_stream
            )
        except coap.Malformed as error:
            self._reject(kind, data, peer, str(error))
            return
        except coap.BadOption as error:
            self._counters.refused(self.plane, error.cause, origin.identity or "", origin.host, str(error))
            if kind == coap.NON and error.code == Code.BAD_OPTION:
                return  # rejected, which is silence here (RFC 7252 sections 4.3 and 5.4.1)
            request, refusal = Request(code), Response(error.code)
        # A stream repeats nothing, and its numbers come again.
        seen = None if self.is_stream else self.recent.begin(peer, mid, data, kind == coap.CON)
        exchange = Exchange(self, peer, kind, mid, token, request, origin, block, seen, data)
        if refusal is not None:
            exchange.answer(refusal)
            return
        if block is not None:
            whole = self._assemblies.feed(peer, request, block)
            if isinstance(whole, Response):
                exchange.answer(whole)
                return
            exchange.request = whole
        self._take(exchange)

    def _reply(self, kind: int, data: bytes, peer: Hashable) -> None:
        """A device's answer or notification. A confirmable one that comes again gets the same ACK again.

        One that cannot be read is rejected by the engine, which knows whether somebody waits for it.
        """
        if kind != coap.ACK and not self.is_stream:
            if self._is_repeated(kind, data, peer):
                return
            self.recent.begin(peer, data[2] << 8 | data[3], data, kind == coap.CON)
        self._replies.receive(self, peer, data)

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
from southbound.transports.blocks import Assemblies
from southbound.transports.recent import UNSEEN, RecentMessages
from southbound.transports.tuning import LARGEST_BLOCK_EXPONENT, Tuning

Transmit = Callable[[Hashable, bytes], None]


class Replies(Protocol):
    """Where ACKs, RSTs and responses of devices go: the engine."""

    def receive(self, lane: Lane, peer: Hashable, data: bytes) -> None: ...


class Exchange:
    """One request of a device that waits for its answer; answered exactly once."""

    __slots__ = ("block", "came_at", "kind", "lane", "mid", "origin", "peer", "request", "token")

    def __init__(
        self,
        lane: Lane,
        peer: Hashable,
        kind: int,
        mid: int,
        token: bytes,
        request: Request,
        origin: Origin,
        block: coap.Block | None,
    ) -> None:
        self.lane = lane
        self.peer = peer
        self.kind = kind
        self.mid = mid
        self.token = token
        self.request = request
        self.origin = origin
        self.block = block
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
    ) -> None:
        self.plane = plane
        self.transport = transport
        self.transmit = transmit
        self.tuning = tuning
        self.recent = (
            RecentMessages(clock)
            if tuning is None
            else RecentMessages(clock, seconds=tuning.exchange_seconds)
        )
        self._assemblies = Assemblies(clock) if tuning is None else Assemblies(clock, seconds=tuning.patience)
        self._take = take
        self._replies = replies
        self._counters = counters
        self._next_mid = 0

    @property
    def block_exponent(self) -> int:
        """The largest blocks that fit a message here."""
        return LARGEST_BLOCK_EXPONENT if self.tuning is None else self.tuning.block_exponent

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
        self, data: bytes, peer: Hashable, address: tuple[str, int], identity: str | None = None
    ) -> None:
        length = len(data)
        self._counters.datagrams += 1
        if length < 4 or data[0] >> 6 != 1:
            self._counters.malformed += 1
            return
        token_end = 4 + (data[0] & 15)
        if token_end > 12 or length < token_end:
            self._counters.malformed += 1
            return
        kind = data[0] >> 4 & 3
        code = data[1]
        if code == 0:
            self._empty(kind, data, peer)
        elif code < 0x20:
            self._request(kind, code, data, token_end, peer, address, identity)
        elif code >> 5 in (2, 4, 5) and kind != coap.RST:
            self._reply(data, peer)
        else:
            self._counters.malformed += 1

    def answer(self, exchange: Exchange, response: Response, max_age: int | None, is_final: bool) -> None:
        confirmed = exchange.kind == coap.CON
        mid = exchange.mid if confirmed else self._draw_mid()
        block = exchange.block
        if block is not None and block.size_exponent > self.block_exponent:
            block = replace(block, size_exponent=self.block_exponent)  # smaller ones from here on, please
        data = coap.write_response(
            coap.ACK if confirmed else coap.NON,
            mid,
            exchange.token,
            response,
            max_age=max_age,
            block=block,
        )
        key = (exchange.peer, exchange.mid)
        if is_final:
            self.recent.answered(key, data)
        else:
            self.recent.forget(key)
        self._counters.answers += 1
        self.transmit(exchange.peer, data)

    def _empty(self, kind: int, data: bytes, peer: Hashable) -> None:
        if len(data) != 4:
            self._counters.malformed += 1
        elif kind == coap.CON:  # a CoAP ping (RFC 7252 section 4.3)
            self.transmit(peer, coap.write_empty(coap.RST, data[2] << 8 | data[3]))
        elif kind != coap.NON:
            self._replies.receive(self, peer, data)

    def _request(
        self,
        kind: int,
        code: int,
        data: bytes,
        token_end: int,
        peer: Hashable,
        address: tuple[str, int],
        identity: str | None,
    ) -> None:
        if kind > coap.NON:
            self._counters.malformed += 1
            return
        mid = data[2] << 8 | data[3]
        key = (peer, mid)
        known = self.recent.get(key)
        if known is not UNSEEN:
            self._counters.duplicates += 1
            if isinstance(known, bytes) and kind == coap.CON:
                self.transmit(peer, known)
            return
        self.recent.begin(key)
        token = data[4:token_end]
        origin = Origin(address[0], address[1], self.transport, identity)
        block = None
        try:
            if len(data) > coap.MAX_DATAGRAM:
                raise coap.BadOption(Code.REQUEST_ENTITY_TOO_LARGE, "The datagram is too large; use Block1.")
            request, block = coap.read_request(data, token_end, code, kind == coap.CON)
        except coap.Malformed:
            self.recent.forget(key)
            self._counters.malformed += 1
            return
        except coap.BadOption as error:
            request = Request(code)
            self._counters.refused(self.plane, "MESSAGE_MALFORMED", "", address[0], str(error))
            Exchange(self, peer, kind, mid, token, request, origin, None).answer(Response(error.code))
            return
        exchange = Exchange(self, peer, kind, mid, token, request, origin, block)
        if block is not None:
            whole = self._assemblies.feed(peer, request, block)
            if isinstance(whole, Response):
                exchange.answer(whole)
                return
            exchange.request = whole
        self._take(exchange)

    def _reply(self, data: bytes, peer: Hashable) -> None:
        """A device's answer or notification. A confirmable one that comes again gets the same ACK again."""
        if data[0] >> 4 & 3 == coap.CON:
            key = (peer, data[2] << 8 | data[3])
            known = self.recent.get(key)
            if known is not UNSEEN:
                self._counters.duplicates += 1
                if isinstance(known, bytes):
                    self.transmit(peer, known)
                return
            self.recent.begin(key)
        self._replies.receive(self, peer, data)

    def _draw_mid(self) -> int:
        self._next_mid = self._next_mid + 1 & 0xFFFF
        return self._next_mid

"""The CoAP conversation with one server: our requests, its requests, and what gets lost on the way.

`RFC 7252 sections 4.2 to 4.5 and 5.2`. No socket here: datagrams come in by `receive` and leave by the
``transmit`` that the owner hands over, so that the same conversation runs over UDP and over DTLS.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from lwm2m.codes import Code
from lwm2m.messages import Request, Response
from simulator import coap
from simulator.blockwise import Blocks
from simulator.coap import Answer, Kind, Packet
from simulator.transmissions import Transmissions, Tuning

REMEMBERED = 32
"""Answered requests kept for duplicates, and notifications for RST. More than a server has in flight."""

Serve = Callable[[Request, bytes], Answer]


class NoAnswer(Exception):
    """A request was given up: retransmitted in vain, reset by the peer, or the conversation was closed."""


class Exchanges:
    """Everything said to and by one server.

    ``serve`` answers a request; it gets the token too, because an observation is known by it. ``heard``
    is called for every request that is not a duplicate: a device in queue mode stays awake for it.
    """

    def __init__(
        self,
        *,
        transmit: Callable[[bytes], None],
        serve: Serve,
        tuning: Tuning | None = None,
        heard: Callable[[], None] | None = None,
        sizes: coap.Sizes = coap.DATAGRAM_SIZES,
    ) -> None:
        self._transmit = transmit
        self._sizes = sizes
        self._serve = serve
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._mid = random.getrandbits(16)
        self._token = random.getrandbits(32)
        self._transmissions = Transmissions(transmit, tuning or Tuning())
        self._waiting: dict[bytes, asyncio.Future[Packet]] = {}
        self._answered: OrderedDict[tuple[int, bytes], bytes | None] = OrderedDict()
        self._notified: OrderedDict[int, Callable[[], None]] = OrderedDict()
        self._later: set[asyncio.TimerHandle] = set()
        self._blocks = Blocks(serve, sizes)
        self.is_closed = False

    # -- our requests --------------------------------------------------------------------------------------

    async def request(self, request: Request) -> Response:
        """Send a request, block-wise when it is large, and wait for the answer. Raises `NoAnswer`."""
        if len(request.payload) <= self._sizes.request:
            return (await self._ask(request, None)).response or Response(Code.INTERNAL_SERVER_ERROR)
        return await self._upload(request)

    @property
    def upcoming_token(self) -> bytes:
        """The token of the next request: whoever observes needs it to know the notifications."""
        return ((self._token + 1) & 0xFFFFFFFF).to_bytes(4, "big")

    async def _upload(self, request: Request) -> Response:
        """`RFC 7959 section 2.5`; the server may ask for smaller blocks in its first answer."""
        exponent, offset = self._sizes.exponent, 0
        while True:
            size = 16 << exponent
            more = offset + size < len(request.payload)
            part = replace(request, payload=request.payload[offset : offset + size])
            packet = await self._ask(part, (offset // size, more, exponent))
            response = packet.response or Response(Code.INTERNAL_SERVER_ERROR)
            if not more or response.code != Code.CONTINUE:
                return response
            offset += size
            if packet.block1 is not None:
                exponent = min(exponent, packet.block1[2])

    async def _ask(self, request: Request, block1: coap.Block | None) -> Packet:
        if self.is_closed:
            raise NoAnswer("the conversation is over")
        token, mid = self._next_token(), self._next_mid()
        answer: asyncio.Future[Packet] = self._loop.create_future()
        self._waiting[token] = answer
        datagram = coap.encode_request(request, mid=mid, token=token, block1=block1)

        def fail(reason: str) -> None:
            if not answer.done():
                answer.set_exception(NoAnswer(reason))

        giving_up = self._loop.call_later(
            self._transmissions.longest_wait, fail, "acknowledged, but the answer never came"
        )
        try:
            if request.confirmable:
                self._transmissions.begin(mid, datagram, failed=fail)
            else:
                self._transmit(datagram)
            return await answer
        finally:
            giving_up.cancel()
            self._waiting.pop(token, None)
            self._transmissions.drop(mid)

    def _next_mid(self) -> int:
        self._mid = (self._mid + 1) & 0xFFFF
        return self._mid

    def _next_token(self) -> bytes:
        self._token = (self._token + 1) & 0xFFFFFFFF
        return self._token.to_bytes(4, "big")

    # -- what arrives --------------------------------------------------------------------------------------

    def receive(self, datagram: bytes) -> None:
        """One datagram from the server. Never raises for what it holds."""
        packet = None if self.is_closed else coap.decode(datagram)
        if packet is None:
            return
        if packet.kind is Kind.RST:
            self._reset(packet.mid)
        elif packet.request is not None:
            self._requested(packet, packet.request)
        elif packet.response is not None:
            self._responded(packet)
        elif packet.kind is Kind.ACK:
            self._transmissions.acknowledged(packet.mid)
        elif packet.kind is Kind.CON:
            self._transmit(coap.empty(Kind.RST, packet.mid))  # a CoAP ping, RFC 7252 section 4.3

    def knows(self, datagram: bytes) -> bool:
        """Whether a message belongs to what is said here already: several servers may share one number."""
        packet = None if self.is_closed else coap.decode(datagram)
        if packet is None:
            return False
        if (packet.mid, packet.token) in self._answered or packet.token in self._waiting:
            return True
        return packet.kind in (Kind.ACK, Kind.RST) and (
            packet.mid in self._notified or self._transmissions.has(packet.mid)
        )

    def _reset(self, mid: int) -> None:
        cancelled = self._notified.pop(mid, None)
        if cancelled is not None:
            cancelled()
        self._transmissions.reset(mid)

    def _responded(self, packet: Packet) -> None:
        waiting = self._waiting.get(packet.token)
        key = (packet.mid, packet.token)
        if packet.kind is Kind.ACK:
            self._transmissions.drop(packet.mid)
        elif packet.kind is Kind.CON:
            known = waiting is not None or key in self._answered
            reply = coap.empty(Kind.ACK if known else Kind.RST, packet.mid)
            if known:
                self._remember(key, reply)
            self._transmit(reply)
        if waiting is not None and not waiting.done():
            waiting.set_result(packet)

    # -- their requests ------------------------------------------------------------------------------------

    def _requested(self, packet: Packet, request: Request) -> None:
        if packet.kind is Kind.ACK:
            return
        key = (packet.mid, packet.token)
        if key in self._answered:
            reply = self._answered[key]
            if reply is not None:
                self._transmit(reply)
            return
        self._remember(key, None)
        if self._heard is not None:
            self._heard()
        answer = self._blocks.answer(packet, request)
        if answer.silent:
            return
        if answer.delay_seconds > 0:
            if packet.kind is Kind.CON:
                self._reply(key, coap.empty(Kind.ACK, packet.mid))
            self._after(answer.delay_seconds, lambda: self._answer_separately(packet, answer))
            return
        kind, mid = (Kind.ACK, packet.mid) if packet.kind is Kind.CON else (Kind.NON, self._next_mid())
        self._reply(key, coap.encode_answer(answer, kind=kind, mid=mid, token=packet.token))
        if answer.afterwards is not None:
            answer.afterwards()

    def _answer_separately(self, packet: Packet, answer: Answer) -> None:
        """`RFC 7252 section 5.2.2`: after an empty ACK the answer is a message of its own."""
        mid = self._next_mid()
        kind = packet.kind
        datagram = coap.encode_answer(answer, kind=kind, mid=mid, token=packet.token)
        done = answer.afterwards or (lambda: None)
        if kind is Kind.CON:
            self._transmissions.begin(mid, datagram, failed=lambda _: done(), acknowledged=done)
        else:
            self._transmit(datagram)
            done()

    def _reply(self, key: tuple[int, bytes], datagram: bytes) -> None:
        self._answered[key] = datagram
        self._transmit(datagram)

    def _remember(self, key: tuple[int, bytes], reply: bytes | None) -> None:
        self._answered[key] = reply
        while len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        def fire() -> None:
            self._later.discard(handle)
            act()

        handle = self._loop.call_later(seconds, fire)
        self._later.add(handle)

    # -- notifications and the end -------------------------------------------------------------------------

    def notify(
        self, token: bytes, answer: Answer, *, confirmable: bool, cancelled: Callable[[], None]
    ) -> None:
        """Send a notification; ``cancelled`` is called when the server resets or never acknowledges it."""
        if self.is_closed:
            return
        mid = self._next_mid()
        answer = self._blocks.first_block(answer)
        kind = Kind.CON if confirmable else Kind.NON
        datagram = coap.encode_answer(answer, kind=kind, mid=mid, token=token)
        if confirmable:
            self._transmissions.begin(mid, datagram, failed=lambda _: cancelled())
            return
        self._notified[mid] = cancelled
        while len(self._notified) > REMEMBERED:
            self._notified.popitem(last=False)
        self._transmit(datagram)

    def close(self) -> None:
        """Give up everything under way; nothing is sent or called back from here on."""
        self.is_closed = True
        self._transmissions.close()
        for handle in self._later:
            handle.cancel()
        self._later.clear()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(NoAnswer("the conversation is over"))
        self._notified.clear()

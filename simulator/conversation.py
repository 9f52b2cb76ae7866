"""The CoAP conversation with one server: `coap.Endpoint`, driven by the event loop.

No socket here: datagrams come in by `receive` and leave by the ``transmit`` that the owner hands over, so that the same
conversation runs over UDP, over DTLS and by SMS.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import coap
from coap import Asked, Delivered, Duplicates, Endpoint, Failed, Finished, Limits, MessageIds, Tuning
from coap.events import Continued, Event
from lwm2m.messages import Request, Response
from simulator.answers import Answer, NoAnswer, Serve, known_code

REMEMBERED = 32
"""Answered requests kept for their repetitions. More than a server has in flight."""
LIMITS = Limits(message_bytes=65_535, request_bytes=4 * 1024 * 1024)
SERVER = ""
"""The one peer of each conversation."""


class Token(bytes):
    """The token of a request that observes, and the request, which notifications belong to."""

    asked: Asked

    @classmethod
    def of(cls, asked: Asked) -> Token:
        token = cls(asked.token)
        token.asked = asked
        return token


class Conversation:
    """Everything said to and by one server.

    ``serve`` answers a request. ``heard`` is called for every request and block that is not a repetition: a device in
    queue mode stays awake for it.
    """

    def __init__(
        self,
        *,
        transmit: Callable[[bytes], None],
        serve: Serve,
        tuning: Tuning,
        heard: Callable[[], None] | None = None,
        observes: bool = False,
    ) -> None:
        self._transmit = transmit
        self._serve = serve
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._token = random.getrandbits(32)
        self.endpoint = Endpoint(
            dice=random.uniform,
            draw_token=self._next_token,
            message_ids=MessageIds([random.getrandbits(16)]),
            tuning=tuning,
            limits=LIMITS,
            duplicates=Duplicates(
                peer_limit=REMEMBERED,
                refused_limit=REMEMBERED,
                seconds=tuning.exchange_seconds,
                non_seconds=tuning.unconfirmed_seconds,
            ),
            observes=observes,
        )
        self._waiting: set[asyncio.Future[coap.Response]] = set()
        self._later: set[asyncio.TimerHandle] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.is_closed = False

    async def request(self, request: Request, *, token: bytes | None = None) -> Response:
        """Send a request, in blocks when it is large, and wait for the answer. Raises `NoAnswer`."""
        if self.is_closed:
            raise NoAnswer("the conversation is over")
        answer: asyncio.Future[coap.Response] = self._loop.create_future()
        self._waiting.add(answer)
        call = self.endpoint.request(
            SERVER, _encoded(request), now=self._loop.time(), token=token, tag=answer
        )
        self._act()
        try:
            said = await answer
        finally:
            self._waiting.discard(answer)
            if not call.is_over:
                self.endpoint.cancel(call, self._loop.time())
                self._act()
        return Response(known_code(said.code), said.payload, said.content_format, said.location)

    def receive(self, datagram: bytes) -> None:
        """One datagram from the server. Never raises for what it holds."""
        if not self.is_closed:
            self.endpoint.receive(datagram, SERVER, self._loop.time())
            self._act()

    def knows(self, datagram: bytes) -> bool:
        """Whether a message belongs to what is said here already: several servers may share one number."""
        return not self.is_closed and self.endpoint.knows(datagram, SERVER, self._loop.time())

    def notify(
        self, token: bytes, answer: Answer, *, confirmable: bool, cancelled: Callable[[], None]
    ) -> None:
        """Send a notification; ``cancelled`` is called when the server resets or never acknowledges it.

        ``token`` is the one that ``serve`` got with the request that observes.
        """
        if self.is_closed or not isinstance(token, Token):
            return
        said = coap.Response(int(answer.code), answer.payload, answer.content_format, observe=answer.observe)
        now = self._loop.time()

        def told(failed: Failed | None) -> None:
            if failed is not None:
                cancelled()

        self.endpoint.notify(token.asked, said, now=now, confirmable=confirmable, tag=told)
        self._act()

    def close(self) -> None:
        """Give up everything under way; nothing is sent or called back from here on."""
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for handle in self._later:
            handle.cancel()
        self._later.clear()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(NoAnswer("the conversation is over"))

    # -- driving the endpoint ------------------------------------------------------------------------------

    def _act(self) -> None:
        """Send what is to be sent, hear what happened, and be called again when it is time."""
        endpoint = self.endpoint
        while not self.is_closed:
            for _, datagram in endpoint.take_sent():
                self._transmit(datagram)
            events = endpoint.take_events()
            if not events:
                self._set_timer()
                return
            for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Asked():
                self._asked(event)
            case Finished():
                self._finished(event)
            case Delivered(delivery, failed):
                if delivery.tag is not None:
                    delivery.tag(failed)
            case Continued():
                self._tell_heard()

    def _set_timer(self) -> None:
        due, timer = self.endpoint.next_timer(), self._timer
        if timer is not None:
            if timer.when() == due:
                return
            timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.endpoint.handle_timer(self._loop.time())
        self._act()

    def _next_token(self) -> bytes:
        self._token = (self._token + 1) & 0xFFFFFFFF
        return self._token.to_bytes(4, "big")

    # -- what comes ----------------------------------------------------------------------------------------

    def _finished(self, finished: Finished) -> None:
        answer, outcome = finished.call.tag, finished.outcome
        if answer.done():
            return
        if isinstance(outcome, Failed):
            answer.set_exception(NoAnswer(outcome.detail))
        else:
            answer.set_result(outcome)

    def _tell_heard(self) -> None:
        if self._heard is not None:
            self._heard()

    def _asked(self, asked: Asked) -> None:
        self._tell_heard()
        request = Request(
            code=asked.code,
            path=asked.path,
            query=asked.query,
            content_format=asked.content_format,
            payload=asked.payload,
            confirmable=asked.confirmable,
            accept=asked.accept,
            observe=asked.observe,
        )
        answer = self._serve(request, Token.of(asked) if asked.observe == 0 else asked.token)
        if answer.silent or self.is_closed:
            return
        if answer.delay_seconds > 0:
            self.endpoint.acknowledge(asked)
            self._after(answer.delay_seconds, lambda: self._answer(asked, answer))
        else:
            self._answer(asked, answer)

    def _answer(self, asked: Asked, answer: Answer) -> None:
        """``afterwards`` follows when a separate answer was acknowledged, or never will be."""
        done = answer.afterwards
        delivery = self.endpoint.answer(
            asked,
            int(answer.code),
            now=self._loop.time(),
            payload=answer.payload,
            content_format=answer.content_format,
            location=answer.location,
            observe=answer.observe,
            tag=None if done is None else lambda failed: done(),
        )
        self._act()
        if done is not None and (delivery is None or not asked.confirmable):
            done()

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        def fire() -> None:
            self._later.discard(handle)
            act()

        handle = self._loop.call_later(seconds, fire)
        self._later.add(handle)


def _encoded(request: Request) -> coap.Request:
    return coap.Request.of(
        int(request.code),
        request.path,
        request.query,
        content_format=request.content_format,
        accept=request.accept,
        observe=request.observe,
        payload=request.payload,
        confirmable=request.confirmable,
    )

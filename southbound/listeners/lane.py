"""A lane: one listening port with its `coap.Endpoint`, between sockets and those who answer devices."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Hashable
from typing import Protocol

import coap
from coap import Asked, Endpoint, Malformed, Tuning
from lwm2m.codes import Code
from lwm2m.messages import AnyRequest, Response
from lwm2m.registration import Origin
from lwm2m.wire import Plane
from southbound.counters import Counters
from southbound.listeners.notifications import Notification, of_notified

logger = logging.getLogger(__name__)

Transmit = Callable[[Hashable, bytes], None]

_CAUSES = {coap.Fault.OSCORE: "OSCORE_UNSUPPORTED"}


class Drives(Protocol):
    """What lanes have in common: the engine, which makes endpoints and is told what is nobody's answer."""

    on_notification: Callable[[Notification], None] | None
    on_empty: Callable[[Lane, Hashable], None] | None

    def endpoint(
        self,
        *,
        is_stream: bool,
        observes: bool,
        tuning: Tuning | None,
        room: Callable[[Hashable], int] | None,
    ) -> Endpoint: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None: ...


class Exchange:
    """One request of a device that waits for its answer; answered exactly once."""

    __slots__ = ("asked", "came_at", "lane", "origin", "request")

    def __init__(self, lane: Lane, asked: Asked, origin: Origin) -> None:
        self.lane = lane
        self.asked = asked
        self.origin = origin
        self.request: AnyRequest = asked
        self.came_at = time.time()

    @property
    def peer(self) -> Hashable:
        return self.asked.peer

    @property
    def plane(self) -> Plane:
        return self.lane.plane_of(self.request)

    def answer(self, response: Response, *, max_age: int | None = None, is_final: bool = True) -> None:
        """Send the answer; `is_final` false when a repetition of the request shall be tried anew."""
        self.lane.answer(self.asked, response, max_age, is_final)


class Lane:
    """`receive` is called for each datagram, `transmit` sends one to a peer (an address or a DTLS session).

    `tuning` is of a lane that is more patient than the others, None elsewhere.
    """

    def __init__(
        self,
        *,
        plane: Plane,
        transport: str,
        transmit: Transmit,
        take: Callable[[Exchange], None],
        engine: Drives,
        counters: Counters,
        tuning: Tuning | None = None,
        room: Callable[[Hashable], int] | None = None,
    ) -> None:
        self.plane = plane
        self.transport = transport
        self.transmit = transmit
        self.tuning = tuning
        self.is_stream = transport == "tcp"
        self.endpoint = engine.endpoint(
            is_stream=self.is_stream, observes=plane == "management", tuning=tuning, room=room
        )
        self._take = take
        self._engine = engine
        self._counters = counters
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def plane_of(self, request: AnyRequest) -> Plane:
        """Which server the request is for."""
        return self.plane

    def expect(self, peer: Hashable, mid: int) -> None:
        """A report of the peer is being stored; its `done` or an answer to it follows."""

    def done(self, peer: Hashable, mid: int) -> None:
        """Nothing more is said to the message with this id."""

    def drop(self, peer: Hashable, mid: int) -> None:
        """The message with this id could not be stored; it is as if it had not come."""

    # -- in --------------------------------------------------------------------------------------------------
    def receive(
        self,
        data: bytes,
        peer: Hashable,
        address: tuple[str, int],
        identity: str | None = None,
        credential_id: int | None = None,
    ) -> None:
        """One datagram. On a stream it raises `coap.Malformed` for what makes no sense (RFC 8323 section 3.4)."""
        self._counters.datagrams += 1
        endpoint = self.endpoint
        endpoint.receive(data, peer, time.monotonic())
        events = endpoint.take_events()
        if len(events) == 1:  # nearly always one of these two, and there is nothing else to do
            event = events[0]
            if type(event) is Asked:
                origin = Origin(address[0], address[1], self.transport, identity, credential_id)
                self._take(Exchange(self, event, origin))
                return
            if type(event) is coap.Notified:
                self._notified(event)
                return
        origin = Origin(address[0], address[1], self.transport, identity, credential_id)
        self._work(events, origin)

    def _work(self, events: list[coap.Event], origin: Origin | None = None) -> None:
        """Send what is to be sent, tell what happened, and set the timer."""
        self.flush()
        for event in events:
            self._tell(event, origin)
        self.schedule()

    def _tell(self, event: coap.Event, origin: Origin | None) -> None:
        counters = self._counters
        match event:
            case Asked() if origin is not None:
                self._take(Exchange(self, event, origin))
            case coap.Notified():
                self._notified(event)
            case coap.Finished(call, outcome):
                answered, _ = call.tag
                if not answered.done():
                    answered.set_result(outcome)
            case coap.Progress(call):
                _, on_progress = call.tag
                if on_progress is not None:
                    on_progress()
            case coap.Empty(peer):
                if self._engine.on_empty is not None:
                    self._engine.on_empty(self, peer)
            case coap.Repeated():
                counters.duplicates += 1
            case coap.Continued():
                counters.answers += 1
            case coap.Refused(_, _, fault, detail) if origin is not None:
                counters.answers += 1
                cause = _CAUSES.get(fault, "MESSAGE_MALFORMED")
                counters.refused(self.plane, cause, origin.identity or "", origin.host, detail)
            case coap.Rejected(_, detail):
                counters.malformed += 1
                if self.is_stream:
                    raise Malformed(detail)

    def _notified(self, event: coap.Notified) -> None:
        """A response that nobody waits for: a notification where devices are observed, else of no use to anybody."""
        if self._engine.on_notification is None:
            self.endpoint.reject(event)
            self.flush()
            return
        self.expect(event.peer, event.mid)
        self._engine.on_notification(of_notified(self, event))

    # -- out -------------------------------------------------------------------------------------------------
    def answer(self, asked: Asked, response: Response, max_age: int | None, is_final: bool) -> None:
        # Whether a Register that comes again made what stands is for its row to say: the registration may be over
        # since, and a device that starts anew with the same message would never learn so (leshan#697).
        is_made = response.code == Code.CREATED and asked.block1 is None
        self.endpoint.answer(
            asked,
            response.code,
            now=time.monotonic(),
            payload=response.payload,
            content_format=response.content_format,
            location=response.location,
            max_age=max_age,
            is_final=is_final and not is_made,
        )
        self._counters.answers += 1
        for peer, data in self.endpoint.take_sent():
            self.transmit(peer, data)

    def ping(self, peer: Hashable) -> None:
        """Whoever is there answers with a reset (RFC 7252 section 4.3)."""
        self.endpoint.ping(peer)
        self.flush()

    def flush(self) -> None:
        """Send what the endpoint wants sent."""
        for peer, data in self.endpoint.take_sent():
            try:
                self.transmit(peer, data)
            except (
                Exception
            ):  # one way that is broken is not the end of the others, and what is sent there is repeated
                self._counters.broken += 1
                logger.exception("transmit_broke transport=%s", self.transport)

    def work(self) -> None:
        """Something was asked of the endpoint: see to what came of it."""
        self._work(self.endpoint.take_events())

    def schedule(self) -> None:
        loop, at = self._engine.loop, self.endpoint.next_timer()
        if loop is None or at is None or at >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = loop.call_at(at, self._due)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer, self._timer_at = None, math.inf
        self.endpoint.handle_timer(time.monotonic())
        self.work()

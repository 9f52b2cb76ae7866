"""Drives all that we ask of devices: `coap.Client` between the lanes, the clock of the loop, and whoever awaits.

What it sends leaves through the very socket and DTLS session that the device came in on, and a device that moved under
a connection id stays the same peer.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import cast

import coap
from coap import Failed, Finished, Reason
from coap.message import empty
from coap.message_ids import SPACES
from coap.options import ACCEPT, CONTENT_FORMAT, OBSERVE, URI_PATH, URI_QUERY, Option, uint
from lwm2m import notification_order
from lwm2m.messages import Request
from southbound.counters import Counters
from southbound.transports import notices
from southbound.transports.lane import Lane
from southbound.transports.replies import NoReply, Reply
from southbound.transports.tuning import Tuning

__all__ = ["TOKEN_BYTES", "Engine", "NoReply", "Reply", "Tuning"]

logger = logging.getLogger(__name__)

TOKEN_BYTES = 8
SHORT_TOKEN_BYTES = 4
"""Still 32 bits that nobody can guess (RFC 7252 section 5.3.1)."""
_RESPONSES = range(2, 6)
"""Classes of codes (RFC 7252 section 12.1)."""
_STOPPING = "This process is stopping."


class Engine:
    """All requests to all devices of this process; its methods are called on the loop."""

    def __init__(self, counters: Counters, *, tuning: Tuning | None = None) -> None:
        self._counters = counters
        self._tuning = tuning or Tuning()
        self._stream_tuning = replace(self._tuning, is_reliable=True)
        self._message_ids = coap.MessageIds(secrets.randbelow(0x10000) for _ in range(SPACES))
        self._client = coap.Client(
            dice=random.uniform,
            draw_token=lambda: secrets.token_bytes(TOKEN_BYTES),
            message_ids=self._message_ids,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self.on_notice: Callable[[notices.Notice], None] | None = None
        self.on_empty: Callable[[Lane, Hashable], None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def stop(self) -> None:
        """Whoever still waits hears so."""
        if self._loop is not None:
            self._client.drop_all(_STOPPING, self._loop.time())
            self._work(self._loop)
            self._loop = None
        if self._timer is not None:
            self._timer.cancel()

    def draw_mid(self, lane: Lane, peer: Hashable) -> int:
        """A message id for anything that is sent to the peer: there is one space of them (RFC 7252 section 4.4)."""
        return self._message_ids.draw((lane, peer))

    def receive(self, lane: Lane, peer: Hashable, data: bytes) -> None:
        """An ACK, RST or response of a device, its token whole.

        On a stream it raises `coap.Malformed` for what nobody waits for and nobody can read (RFC 8323 section 3.4).
        """
        if self._loop is None:
            return
        if not data[1] and self.on_empty is not None:
            self.on_empty(lane, peer)
        if self._client.receive((lane, peer), data, self._loop.time()):
            self._work(self._loop)
        elif data[1] >> 5 in _RESPONSES and data[0] >> 4 & 3 in (coap.CON, coap.NON):
            self._unasked(lane, peer, data)

    def _unasked(self, lane: Lane, peer: Hashable, data: bytes) -> None:
        """A response of its own: a notification where devices are observed, else of no use to anybody."""
        try:
            notice = notices.read(lane, peer, data)
        except coap.Malformed:
            self._counters.malformed += 1
            if lane.is_stream:
                raise
            self._reject(lane, peer, data)
            return
        if self.on_notice is None or lane.plane != "management":
            self._reject(lane, peer, data)
            return
        lane.expect(peer, notice.mid)
        self.on_notice(notice)

    def _reject(self, lane: Lane, peer: Hashable, data: bytes) -> None:
        """RFC 7252 section 4.2: a confirmable message that cannot be processed is answered with a reset."""
        if data[0] >> 4 & 3 == coap.CON:
            self._transmit(lane, peer, empty(coap.RST, data[2] << 8 | data[3]))

    def drop(self, lane: Lane, peer: Hashable, detail: str, reason: Reason = Reason.GONE) -> None:
        """The peer is gone, or the way refuses what is sent to it: everything outstanding with it fails now."""
        if self._loop is not None:
            self._client.drop((lane, peer), detail, self._loop.time(), reason)
            self._work(self._loop)

    async def request(
        self,
        lane: Lane,
        peer: Hashable,
        request: Request,
        *,
        seconds: float | None = None,
        token: bytes | None = None,
        on_progress: Callable[[], None] | None = None,
        is_proven: bool = True,
    ) -> Reply:
        """Send a confirmable request, in blocks where it must be, and return the whole answer. Raises `NoReply`.

        Each message has the patience of its transport, the whole at most `seconds`; `on_progress` is called with
        each block that was answered. `request.observe` needs a `token`: what the device then says under it goes to
        `on_notice`. Where the caller is cancelled, the request ends with it. To a peer that is not `is_proven` it is
        sent once, under a short token: nobody has shown yet that they are at this address (RFC 7252 section 11.3).
        """
        loop = self._loop
        if loop is None:
            raise NoReply(Reason.GONE, _STOPPING)
        answered: asyncio.Future[coap.Response | Failed] = loop.create_future()
        tuning = self._tuning_of(lane)
        if not is_proven:
            tuning, token = tuning.unrepeated, secrets.token_bytes(SHORT_TOKEN_BYTES)
        now = loop.time()
        call = self._client.request(
            (lane, peer),
            _request(request),
            tuning=tuning,
            exponent=lane.block_exponent_of(peer),
            now=now,
            token=token,
            ends_at=None if seconds is None else now + seconds,
            tag=(answered, on_progress),
        )
        self._work(loop)
        try:
            answer = await answered
        except asyncio.CancelledError:
            self._client.cancel(call, loop.time())
            self._work(loop)
            raise
        if isinstance(answer, Failed):
            raise NoReply(answer.reason, answer.detail)
        return Reply(
            answer.code,
            answer.payload,
            answer.content_format,
            answer.location,
            notification_order.number(answer.observe),
            answer.max_age,
        )

    def _tuning_of(self, lane: Lane) -> Tuning:
        if lane.tuning is not None:
            return lane.tuning
        return self._stream_tuning if lane.transport == "tcp" else self._tuning

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what the client left to be done."""
        client = self._client
        for way, data in client.sent():
            self._transmit(*cast("tuple[Lane, Hashable]", way), data)
        for event in client.events():
            answered, on_progress = event.call.tag
            if not isinstance(event, Finished):
                if on_progress is not None:
                    on_progress()
            elif not answered.done():
                answered.set_result(event.outcome)
        at = client.next_timer()
        if at is not None and at < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = at
            self._timer = loop.call_at(at, self._due)

    def _due(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self._loop is not None:
            self._client.handle_timer(self._loop.time())
            self._work(self._loop)

    def _transmit(self, lane: Lane, peer: Hashable, data: bytes) -> None:
        if data[0] >> 4 & 3 >= coap.ACK:
            lane.recent.answered((peer, data[2] << 8 | data[3]), data)
        try:
            lane.transmit(peer, data)
        except (
            Exception
        ):  # one way that is broken is not the end of the others; what is sent there is repeated
            self._counters.broken += 1
            logger.exception("transmit_broke transport=%s", lane.transport)


def _request(request: Request) -> coap.Request:
    options: list[Option] = []
    if request.observe is not None:
        options.append((OBSERVE, uint(request.observe)))
    options += [(URI_PATH, segment.encode()) for segment in request.path]
    if request.content_format is not None:
        options.append((CONTENT_FORMAT, uint(request.content_format)))
    options += [(URI_QUERY, item.encode()) for item in request.query]
    if request.accept is not None:
        options.append((ACCEPT, uint(request.accept)))
    return coap.Request(request.code, tuple(options), request.payload)

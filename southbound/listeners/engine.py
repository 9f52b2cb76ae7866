"""What we ask of devices: requests to the endpoints of the lanes, between the clock of the loop and whoever awaits.

What is sent leaves through the very socket and DTLS session that the device came in on, and a device that moved under
a connection id stays the same peer.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Hashable
from dataclasses import replace

import coap
from coap import Endpoint, Failed, Reason, Tuning
from coap.message_ids import SPACES
from lwm2m import notification_order
from lwm2m.messages import Request
from southbound.listeners.lane import Lane
from southbound.listeners.notifications import Notification
from southbound.listeners.replies import NoReply, Reply

__all__ = ["TOKEN_BYTES", "Engine", "NoReply", "Reply", "Tuning"]

TOKEN_BYTES = 8
SHORT_TOKEN_BYTES = 4
"""Still 32 bits that nobody can guess (RFC 7252 section 5.3.1)."""
_STOPPING = "This process is stopping."


class Engine:
    """All requests to all devices of this process; its methods are called on the loop.

    `on_notification` hears of every notification, `on_empty` of every ACK and reset without content.
    """

    def __init__(self, *, tuning: Tuning | None = None) -> None:
        self._tuning = tuning or Tuning()
        self._stream_tuning = replace(self._tuning, is_reliable=True)
        self._message_ids = coap.MessageIds(secrets.randbelow(0x10000) for _ in range(SPACES))
        self._lanes: set[Lane] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.on_notification: Callable[[Notification], None] | None = None
        self.on_empty: Callable[[Lane, Hashable], None] | None = None

    def endpoint(
        self,
        *,
        is_stream: bool,
        observes: bool,
        tuning: Tuning | None,
        room: Callable[[Hashable], int] | None,
    ) -> Endpoint:
        """One for a lane; `tuning` where it differs from that of the others."""
        return Endpoint(
            dice=random.uniform,
            draw_token=lambda: secrets.token_bytes(TOKEN_BYTES),
            message_ids=self._message_ids,
            tuning=tuning or (self._stream_tuning if is_stream else self._tuning),
            room=room,
            observes=observes,
        )

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def stop(self) -> None:
        """Whoever still waits hears so."""
        if self.loop is None:
            return
        failed, now = Failed(Reason.GONE, _STOPPING), time.monotonic()
        for lane in self._lanes:
            lane.endpoint.fail_all(failed, now)
            lane.work()
            lane.stop()
        self.loop = None

    def drop(self, lane: Lane, peer: Hashable, detail: str) -> None:
        """The peer is gone: everything outstanding with it fails now, and nothing is left of it."""
        lane.endpoint.drop(peer, detail, time.monotonic())
        lane.work()

    def fail(self, lane: Lane, peer: Hashable, detail: str, reason: Reason) -> None:
        """The way to the peer refuses what is sent to it: everything outstanding with it fails now."""
        lane.endpoint.fail(peer, Failed(reason, detail), time.monotonic())
        lane.work()

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
        `on_notification`. Where the caller is cancelled, the request ends with it. To a peer that is not `is_proven` it
        is sent once, under a short token: nobody has shown yet that they are at this address (RFC 7252 section 11.3).
        """
        if self.loop is None:
            raise NoReply(Reason.GONE, _STOPPING)
        answered: asyncio.Future[coap.Response | Failed] = self.loop.create_future()
        endpoint, tuning = lane.endpoint, lane.endpoint.tuning
        if not is_proven:
            tuning, token = tuning.unrepeated, secrets.token_bytes(SHORT_TOKEN_BYTES)
        now = time.monotonic()
        call = endpoint.request(
            peer,
            _request(request),
            tuning=tuning,
            now=now,
            token=token,
            ends_at=None if seconds is None else now + seconds,
            tag=(answered, on_progress),
        )
        self._lanes.add(lane)
        lane.work()
        try:
            answer = await answered
        except asyncio.CancelledError:
            endpoint.cancel(call, time.monotonic())
            lane.work()
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


def _request(request: Request) -> coap.Request:
    return coap.Request.of(
        request.code,
        request.path,
        request.query,
        content_format=request.content_format,
        accept=request.accept,
        observe=request.observe,
        payload=request.payload,
    )

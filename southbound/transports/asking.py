"""Small requests to devices without aiocoap: one datagram leaves and one comes back, repeated until acknowledged.

aiocoap looks through all that is in flight for each answer, and makes a dozen objects for each request; with a
thousand devices at once that is more than all the rest. What needs blocks, a token of its own or the patience of
another transport still goes through it. One request at a time and peer (NSTART=1); the caller sees to that.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Hashable
from dataclasses import dataclass

from lwm2m.messages import Request
from southbound.transports import coap
from southbound.transports.lane import Lane
from southbound.transports.replies import NoReply
from southbound.transports.tuning import Tuning

TOKEN_BYTES = 8
_LANES = ("udp", "dtls")


@dataclass(slots=True, eq=False)
class _Open:
    """One request on its way."""

    lane: Lane
    peer: Hashable
    mid: int
    token: bytes
    data: bytes
    answer: asyncio.Future[bytes]
    ends_at: float
    pause: float
    repetitions: int
    timer: asyncio.TimerHandle | None = None


class Asking:
    """`receive` gets every ACK, RST and response first, and says whether it was for a request of here."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._open: dict[tuple[Lane, Hashable], _Open] = {}

    def takes(self, lane: Lane, peer: Hashable, request: Request) -> bool:
        """Whether this one fits a datagram, and its peer is free."""
        return (
            lane.transport in _LANES
            and lane.tuning is None
            and request.observe is None
            and len(request.payload) <= 1 << lane.block_exponent_of(peer) + 4
            and (lane, peer) not in self._open
        )

    async def ask(self, lane: Lane, peer: Hashable, request: Request, mid: int) -> bytes:
        """The datagram of the answer. Raises `NoReply`."""
        loop, tuning = asyncio.get_running_loop(), self._tuning
        token = secrets.token_bytes(TOKEN_BYTES)
        asked = _Open(
            lane,
            peer,
            mid,
            token,
            coap.write_request(mid, token, request),
            loop.create_future(),
            loop.time() + tuning.patience,
            random.uniform(tuning.ACK_TIMEOUT, tuning.ACK_TIMEOUT * tuning.ACK_RANDOM_FACTOR),  # noqa: S311
            tuning.MAX_RETRANSMIT,
        )
        self._open[lane, peer] = asked
        try:
            asked.timer = loop.call_later(asked.pause, self._repeat, asked)
            lane.transmit(peer, asked.data)
            return await asked.answer
        finally:
            del self._open[lane, peer]
            if asked.timer is not None:
                asked.timer.cancel()

    def receive(self, lane: Lane, peer: Hashable, data: bytes) -> bool:
        asked = self._open.get((lane, peer))
        if asked is None or asked.answer.done():
            return False
        kind, mid = data[0] >> 4 & 3, data[2] << 8 | data[3]
        if data[1] == 0:
            if mid != asked.mid:
                return False
            self._acknowledged(asked, is_reset=kind == coap.RST)
            return True
        if data[4 : 4 + (data[0] & 15)] != asked.token:
            return False
        if kind == coap.CON:
            said = coap.write_empty(coap.ACK, mid)
            lane.recent.answered((peer, mid), said)
            lane.transmit(peer, said)
        asked.answer.set_result(data)
        return True

    def drop(self, lane: Lane, peer: Hashable, reason: str) -> None:
        """The peer is gone."""
        asked = self._open.get((lane, peer))
        if asked is not None:
            _fail(asked, NoReply("DEVICE_UNREACHABLE", reason))

    def stop(self) -> None:
        for asked in self._open.values():
            _fail(asked, NoReply("DEVICE_UNREACHABLE", "This process is stopping."))

    def _acknowledged(self, asked: _Open, *, is_reset: bool) -> None:
        """The response comes on its own, or never."""
        if asked.timer is not None:
            asked.timer.cancel()
        if is_reset:
            _fail(
                asked,
                NoReply("DEVICE_UNREACHABLE", "The device answered with a reset.", is_reset=True),
            )
            return
        loop = asyncio.get_running_loop()
        asked.timer = loop.call_at(asked.ends_at, self._silent, asked)

    def _repeat(self, asked: _Open) -> None:
        """Twice as long each time (RFC 7252 section 4.2)."""
        if asked.repetitions == 0:
            _fail(asked, NoReply("DEVICE_UNREACHABLE", "No acknowledgement after all repetitions."))
            return
        asked.repetitions -= 1
        asked.pause *= 2
        asked.timer = asyncio.get_running_loop().call_later(asked.pause, self._repeat, asked)
        asked.lane.transmit(asked.peer, asked.data)

    def _silent(self, asked: _Open) -> None:
        detail = f"No response within {self._tuning.patience:.0f} s."
        _fail(asked, NoReply("RESPONSE_TIMEOUT", detail))


def _fail(asked: _Open, error: NoReply) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(error)

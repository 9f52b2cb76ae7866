"""CoAP over SMS: one lane for all links. A peer is a number and the operator whose SMSC vouches for it.

A message that came in stays open until it is answered, or known to want no answer; then its parts are told to be
handled, behind the answer on the same way to the database. So a crash in between loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import cast

import coap
from coap import Asked, Tuning
from lwm2m.messages import AnyRequest, Response
from lwm2m.wire import Plane
from southbound.counters import Counters
from southbound.listeners.lane import Drives, Exchange, Lane

_BOOTSTRAP = (("bs",), ("bspack",))


@dataclass(frozen=True, slots=True)
class SmsPeer:
    """Where an SMS goes to, and whom it is from."""

    operator_id: int
    msisdn: str

    @property
    def identity(self) -> str:
        """What a registration by SMS is known by."""
        return self.msisdn


class SmsLane(Lane):
    """`send` queues a message for a peer: whether it is a request of ours, and for how many seconds it is of use."""

    def __init__(
        self,
        *,
        send: Callable[[SmsPeer, bytes, bool, float], None],
        on_handled: Callable[[Sequence[int]], None],
        on_unreadable: Callable[[SmsPeer], None],
        take: Callable[[Exchange], None],
        engine: Drives,
        counters: Counters,
        tuning: Tuning,
    ) -> None:
        self._send = send
        self._on_handled = on_handled
        self._on_unreadable = on_unreadable
        self._take_request = take
        self._patience = (tuning.transmit_wait, tuning.exchange_seconds)
        self._open: dict[tuple[Hashable, int, bool], list[int]] = {}
        self._part_ids: set[int] = set()
        self._is_awaited = False
        super().__init__(
            plane="management",
            transport="sms",
            transmit=self._transmit,
            take=self._taken,
            engine=engine,
            counters=counters,
            tuning=tuning,
        )

    @property
    def in_flight(self) -> int:
        """Parts of messages that are being worked off."""
        return len(self._part_ids)

    def take_in(self, peer: SmsPeer, payload: bytes, part_ids: Sequence[int]) -> None:
        """A whole message. Told again while it is in flight, its parts only join those that wait.

        The id of an ACK or RST is one of ours, which has nothing to do with the same number in a message of the
        device (RFC 7252 section 4.4: ids are scoped by their source).
        """
        fresh = [part_id for part_id in part_ids if part_id not in self._part_ids]
        if not fresh:
            return
        self._part_ids.update(fresh)
        is_ours = len(payload) > 0 and payload[0] >> 4 & 3 in (coap.ACK, coap.RST)
        key = (peer, int.from_bytes(payload[2:4], "big"), is_ours)
        waiting = self._open.setdefault(key, [])
        if waiting:
            waiting += fresh
            self._counters.duplicates += 1
            return
        waiting += fresh
        self._is_awaited = False
        malformed = self._counters.malformed
        self.receive(payload, peer, (peer.msisdn, 0), peer.msisdn)
        if self._counters.malformed != malformed:
            self._on_unreadable(peer)
        if is_ours or not self._is_awaited:
            self._close(key)

    def plane_of(self, request: AnyRequest) -> Plane:
        """One number serves both servers: what is asked for tells which."""
        return "bootstrap" if request.path in _BOOTSTRAP else "management"

    def expect(self, peer: Hashable, mid: int) -> None:
        self._is_awaited = True

    def done(self, peer: Hashable, mid: int) -> None:
        self._close((peer, mid, False))

    def _close(self, key: tuple[Hashable, int, bool]) -> None:
        part_ids = self._open.pop(key, None)
        if part_ids:
            self._part_ids.difference_update(part_ids)
            self._on_handled(part_ids)

    def drop(self, peer: Hashable, mid: int) -> None:
        self._part_ids.difference_update(self._open.pop((peer, mid, False), ()))

    def answer(self, asked: Asked, response: Response, max_age: int | None, is_final: bool) -> None:
        super().answer(asked, response, max_age, is_final)
        self.done(asked.peer, asked.mid)

    def _taken(self, exchange: Exchange) -> None:
        self._is_awaited = True
        self._take_request(exchange)

    def _transmit(self, peer: Hashable, data: bytes) -> None:
        is_request = 0 < data[1] < 0x20
        self._send(cast(SmsPeer, peer), data, is_request, self._patience[0 if is_request else 1])

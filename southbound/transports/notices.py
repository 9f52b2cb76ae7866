"""Responses that nobody waits for: notifications of observations, and strays."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field

import coap
from coap.message import empty
from lwm2m import notification_order
from southbound.transports.lane import Lane


@dataclass(frozen=True, slots=True)
class Notice:
    """One of them. It is answered by `accept`, `reject` or `forget`, once whoever heard it knows what it is."""

    lane: Lane
    peer: Hashable
    is_confirmable: bool
    mid: int
    token: bytes
    code: int
    payload: bytes
    content_format: int | None
    sequence: int | None
    is_partial: bool
    is_last: bool = False
    """Without the Observe option: the device notifies no more (RFC 7641 section 3.2)."""
    came_at: float = field(default_factory=time.time)

    def accept(self) -> None:
        """Acknowledge it, if it wants that."""
        if self.is_confirmable:
            self._answer(coap.ACK)
        else:
            self.lane.done(self.peer, self.mid)

    def reject(self) -> None:
        """A reset: nobody wants this, which ends the observation at the device (RFC 7641 section 3.6)."""
        self._answer(coap.RST)

    def forget(self) -> None:
        """It could not be stored: its repetition is a new attempt."""
        self.lane.recent.forget_key((self.peer, self.mid))
        self.lane.drop(self.peer, self.mid)

    def _answer(self, kind: int) -> None:
        data = empty(kind, self.mid)
        self.lane.recent.answered((self.peer, self.mid), data)
        self.lane.transmit(self.peer, data)
        self.lane.done(self.peer, self.mid)


def read(lane: Lane, peer: Hashable, data: bytes) -> Notice:
    """The response in a datagram whose header is known to be whole. Raises `coap.Malformed`."""
    said = coap.read_response(data)
    block = said.block2
    return Notice(
        lane,
        peer,
        data[0] >> 4 & 3 == coap.CON,
        data[2] << 8 | data[3],
        data[4 : 4 + (data[0] & 15)],
        data[1],
        said.payload,
        said.content_format,
        # TCP keeps the order, and the number says nothing there (RFC 8323 section 7.1).
        None if lane.transport == "tcp" else notification_order.number(said.observe),
        block is not None and (block.more or block.number > 0),
        said.observe is None,
    )

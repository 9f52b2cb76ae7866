"""Responses that nobody waits for: notifications of observations, and strays."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol

from coap import Endpoint, Notified
from lwm2m import notification_order


class Listens(Protocol):
    """The lane on which one came."""

    transport: str
    endpoint: Endpoint

    def done(self, peer: Hashable, mid: int) -> None: ...

    def drop(self, peer: Hashable, mid: int) -> None: ...

    def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Notification:
    """One of them. It is answered by `accept`, `reject` or `forget`, once whoever heard it knows what it is."""

    lane: Listens
    notified: Notified
    sequence: int | None
    came_at: float = field(default_factory=time.time)

    @property
    def peer(self) -> Hashable:
        return self.notified.peer

    @property
    def token(self) -> bytes:
        return self.notified.token

    @property
    def code(self) -> int:
        return self.notified.response.code

    @property
    def payload(self) -> bytes:
        return self.notified.response.payload

    @property
    def content_format(self) -> int | None:
        return self.notified.response.content_format

    @property
    def is_partial(self) -> bool:
        """It is a block of something larger, which has to be asked for."""
        block = self.notified.response.block2
        return block is not None and (block.more or block.number > 0)

    @property
    def is_last(self) -> bool:
        """Without the Observe option: the device notifies no more (RFC 7641 section 3.2)."""
        return self.notified.response.observe is None

    def accept(self) -> None:
        """Acknowledge it, if it wants that."""
        self.lane.endpoint.accept(self.notified)
        self._done()

    def reject(self) -> None:
        """A reset: nobody wants this, which ends the observation at the device (RFC 7641 section 3.6)."""
        self.lane.endpoint.reject(self.notified)
        self._done()

    def forget(self) -> None:
        """It could not be stored: its repetition is a new attempt."""
        self.lane.endpoint.forget(self.notified)
        self.lane.drop(self.notified.peer, self.notified.mid)

    def _done(self) -> None:
        self.lane.flush()
        self.lane.done(self.notified.peer, self.notified.mid)


def of_notified(lane: Listens, notified: Notified) -> Notification:
    """TCP keeps the order, and the number says nothing there (RFC 8323 section 7.1)."""
    number = None if lane.transport == "tcp" else notification_order.number(notified.response.observe)
    return Notification(lane, notified, number)

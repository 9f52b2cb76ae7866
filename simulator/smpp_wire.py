"""An SMPP link on a TCP connection: bytes between the socket and a `smpp` session, and its timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from smpp.events import Closed, Event, Transmit
from smpp.peer import Peer


class SmppWire(asyncio.Protocol):
    """Give it a session for each connection. ``handle`` hears every event but `Transmit`.

    What the owner does with the session in between goes through `act`: ``wire.act(session.acknowledge(...))``.
    """

    def __init__(self, peer: Peer, handle: Callable[[Event], None]) -> None:
        self.peer = peer
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._set_timer()

    def data_received(self, data: bytes) -> None:
        self.act(self.peer.receive(data, self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.act(self.peer.lost("the connection was closed" if exc is None else str(exc)))

    def act(self, events: Iterable[Event]) -> None:
        """Write what must be written, hand on the rest, and set the timer anew."""
        for event in events:
            if isinstance(event, Transmit):
                if self._transport is not None:
                    self._transport.write(event.octets)
                continue
            self._handle(event)
            if isinstance(event, Closed) and self._transport is not None:
                self._transport.close()
        self._set_timer()

    def cut(self) -> None:
        """Drop the connection in the middle of whatever it is."""
        if self._transport is not None:
            self._transport.abort()
        self.act(self.peer.lost("cut off"))

    def _set_timer(self) -> None:
        """A timer that rings too early sets itself anew; so one is not made for every message."""
        deadline = self.peer.next_deadline()
        if deadline is None:
            self._stop_timer()
        elif self._timer is None or deadline < self._timer.when():
            self._stop_timer()
            self._timer = self._loop.call_at(deadline, self._tick)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        self.act(self.peer.tick(self._loop.time()))

"""CoAP over plain UDP: a drained socket under a lane; a peer is its address.

Nobody proves here who they are. So what one source says is bounded before it is looked at, and what waits at the
secured sockets is read before: a flood here is no outage of those who have a key.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Hashable, Sequence
from typing import cast

from southbound.counters import Counters
from southbound.listeners.lane import Lane
from southbound.listeners.rates import SourceRates
from southbound.listeners.sockets import Address, DrainedSocket

logger = logging.getLogger(__name__)

TOLD_SECONDS = 60.0
"""Between two lines of log about a flood."""


class UdpListener:
    """One port without security."""

    def __init__(self, bound: socket.socket, counters: Counters, rates: SourceRates) -> None:
        self._socket = DrainedSocket(bound, self._receive, counters)
        self._counters = counters
        self._rates = rates
        self._told_at = 0.0
        self._untold = 0
        self.lane: Lane | None = None

    @property
    def port(self) -> int:
        return self._socket.port

    def start(
        self, loop: asyncio.AbstractEventLoop, lane: Lane, *, first: Sequence[DrainedSocket] = ()
    ) -> None:
        """`first` are the sockets that are read before this one."""
        self.lane = lane
        self._socket.first = first
        self._socket.start(loop)

    def transmit(self, peer: Hashable, data: bytes) -> None:
        self._socket.send(data, cast(Address, peer))

    def pause(self) -> None:
        self._socket.pause()

    def close(self) -> None:
        self._socket.close()

    def _receive(self, data: bytes, address: Address) -> None:
        assert self.lane is not None
        if self._rates.allows(address[0]):
            self.lane.receive(data, address, address)
        else:
            self._throttled(address)

    def _throttled(self, address: Address) -> None:
        self._counters.throttled += 1
        self._untold += 1
        now = time.monotonic()
        if now - self._told_at >= TOLD_SECONDS:
            logger.warning(
                "source_throttled host=%s count=%d port=%d settings=NOSEC_RATE,NOSEC_NETWORK_RATE",
                address[0],
                self._untold,
                self.port,
            )
            self._told_at, self._untold = now, 0

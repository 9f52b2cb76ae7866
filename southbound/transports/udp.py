"""CoAP over plain UDP: a drained socket under a lane; a peer is its address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Hashable
from typing import cast

from southbound.counters import Counters
from southbound.transports.lane import Lane
from southbound.transports.sockets import Address, DrainedSocket


class UdpListener:
    """One port without security."""

    def __init__(self, bound: socket.socket, counters: Counters) -> None:
        self._socket = DrainedSocket(bound, self._receive, counters)
        self.lane: Lane | None = None

    @property
    def port(self) -> int:
        return self._socket.port

    def start(self, loop: asyncio.AbstractEventLoop, lane: Lane) -> None:
        self.lane = lane
        self._socket.start(loop)

    def transmit(self, peer: Hashable, data: bytes) -> None:
        self._socket.send(data, cast(Address, peer))

    def pause(self) -> None:
        self._socket.pause()

    def close(self) -> None:
        self._socket.close()

    def _receive(self, data: bytes, address: Address) -> None:
        assert self.lane is not None
        self.lane.receive(data, address, address)

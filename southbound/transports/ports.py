"""The four ports of a southbound process: two planes, each plain and secured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from devices.models import Plane
from lwm2m.registration import Origin
from southbound.counters import Counters
from southbound.database import Database
from southbound.transports.engine import Engine
from southbound.transports.lane import Exchange, Lane
from southbound.transports.sockets import bind
from southbound.transports.udp import UdpListener


@dataclass(frozen=True, slots=True)
class PortSettings:
    """Where to listen; port 0 takes any free one (tests)."""

    address: str
    coap: int
    coaps: int
    bootstrap_coap: int
    bootstrap_coaps: int

    @classmethod
    def from_settings(cls) -> PortSettings:
        return cls(
            settings.BIND_ADDRESS,
            settings.COAP_PORT,
            settings.COAPS_PORT,
            settings.BOOTSTRAP_COAP_PORT,
            settings.BOOTSTRAP_COAPS_PORT,
        )


class Ports:
    """Binds, starts and stops the listeners, and finds the way back to a device."""

    def __init__(
        self,
        where: PortSettings,
        *,
        counters: Counters,
        engine: Engine,
        database: Database,
        number: int,
        shared: bool,
    ) -> None:
        self._where = where
        self._counters = counters
        self._engine = engine
        self._database = database
        self._number = number
        self._shared = shared
        self._plain: dict[Plane, UdpListener] = {}

    def bind(self) -> None:
        """Take all ports or none. Raises `PortUnavailable`."""
        where = self._where
        plain = (
            (Plane.MANAGEMENT, where.coap, "COAP_PORT"),
            (Plane.BOOTSTRAP, where.bootstrap_coap, "BOOTSTRAP_COAP_PORT"),
        )
        try:
            for plane, port, setting in plain:
                bound = bind(where.address, port, setting=setting, shared=self._shared)
                self._plain[plane] = UdpListener(bound, self._counters)
        except Exception:
            self._close()
            raise

    async def start(self, loop: asyncio.AbstractEventLoop, take: Callable[[Exchange], None]) -> None:
        for plane, listener in self._plain.items():
            lane = Lane(
                plane=plane.value,
                transport="udp",
                transmit=listener.transmit,
                take=take,
                replies=self._engine,
                counters=self._counters,
                clock=time.monotonic,
            )
            listener.start(loop, lane)

    def route(self, plane: Plane, origin: Origin) -> tuple[Lane, object] | None:
        """The lane and peer that lead to where a device was last heard; None when that way is closed."""
        if origin.transport == "udp":
            lane = self._plain[plane].lane
            return None if lane is None else (lane, (origin.host, origin.port))
        return None

    def port_of(self, plane: Plane, *, secured: bool) -> int:
        return self._plain[plane].port

    def pause(self) -> None:
        """Read no more."""
        for listener in self._plain.values():
            listener.pause()

    async def stop(self) -> None:
        self._close()

    def _close(self) -> None:
        for listener in self._plain.values():
            listener.close()

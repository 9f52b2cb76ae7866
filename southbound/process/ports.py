"""The ports of a southbound process: two planes, each plain, secured, and over TCP where that is wanted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from django.conf import settings

import dtls
from devices.inventory.models import Plane
from devices.inventory.services import credentials
from lwm2m.registration import Origin
from lwm2m.wire import Plane as PlaneName
from southbound.counters import Counters
from southbound.listeners.dtls import DtlsListener, Key, NoKey
from southbound.listeners.engine import Engine
from southbound.listeners.lane import Exchange, Lane
from southbound.listeners.rates import SourceRates
from southbound.listeners.sockets import bind
from southbound.listeners.tcp import TcpListener
from southbound.listeners.udp import UdpListener
from southbound.process import descriptors, session_file
from southbound.threads.database import Database

logger = logging.getLogger(__name__)

LOOKED_AT_ONCE = 500
"""Credentials in one question: SQLite has a bound, and the next question lets others pass."""
_NAMES: dict[Plane, PlaneName] = {Plane.MANAGEMENT: "management", Plane.BOOTSTRAP: "bootstrap"}


@dataclass(frozen=True, slots=True)
class PortSettings:
    """Where to listen; port 0 takes any free one (tests), None is not listened on."""

    address: str
    coap: int
    coaps: int
    bootstrap_coap: int
    bootstrap_coaps: int
    coap_tcp: int | None = None
    bootstrap_coap_tcp: int | None = None
    coap_files: int | None = None

    @classmethod
    def from_settings(cls) -> PortSettings:
        return cls(
            settings.BIND_ADDRESS,
            settings.COAP_PORT,
            settings.COAPS_PORT,
            settings.BOOTSTRAP_COAP_PORT,
            settings.BOOTSTRAP_COAPS_PORT,
            settings.COAP_TCP_PORT,
            settings.BOOTSTRAP_COAP_TCP_PORT,
            settings.COAP_FILES_PORT or None,
        )


class SmsWay(Protocol):
    """Leads to phone numbers, over the SMSC link of their operator."""

    def route(self, operator_id: int | None, msisdn: str | None) -> tuple[Lane, Hashable] | None: ...


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
        self._secured: dict[Plane, DtlsListener] = {}
        self._streams: dict[Plane, TcpListener] = {}
        self.sms: SmsWay | None = None
        self.on_known: Callable[[dtls.Session], None] | None = None
        """Hears of each DTLS session of a device that is new here, or has moved."""

    def bind(self) -> None:
        """Take all ports or none. Raises `PortUnavailable`, and `dtls.BackendUnusable`."""
        where = self._where
        try:
            self._bind(Plane.MANAGEMENT, where.coap, "COAP_PORT", where.coaps, "COAPS_PORT")
            self._bind(
                Plane.BOOTSTRAP,
                where.bootstrap_coap,
                "BOOTSTRAP_COAP_PORT",
                where.bootstrap_coaps,
                "BOOTSTRAP_COAPS_PORT",
            )
            self._bind_stream(Plane.MANAGEMENT, where.coap_tcp, "COAP_TCP_PORT")
            self._bind_stream(Plane.BOOTSTRAP, where.bootstrap_coap_tcp, "BOOTSTRAP_COAP_TCP_PORT")
        except Exception:
            self._close()
            raise

    def _bind(self, plane: Plane, plain: int, plain_setting: str, secured: int, secured_setting: str) -> None:
        address = self._where.address
        bound = bind(address, plain, setting=plain_setting, shared=self._shared)
        self._plain[plane] = UdpListener(bound, self._counters, self._rates())
        bound = bind(address, secured, setting=secured_setting, shared=self._shared)
        try:
            self._secured[plane] = DtlsListener(
                bound,
                plane=_NAMES[plane],
                counters=self._counters,
                keys=partial(self._look_up, plane),
                number=self._number,
                shared=self._shared,
                on_known=self._known if plane == Plane.MANAGEMENT else _nobody,
                on_closed=lambda lane, session: self._engine.drop(lane, session, "the DTLS session ended"),
            )
        except Exception:
            bound.close()
            raise

    async def _look_up(self, plane: Plane, identities: list[bytes]) -> list[Key | NoKey]:
        return await self._database.run(_keys, plane, identities)

    def _rates(self) -> SourceRates:
        return SourceRates(
            time.monotonic, per_host=settings.NOSEC_RATE, per_network=settings.NOSEC_NETWORK_RATE
        )

    def _bind_stream(self, plane: Plane, port: int | None, setting: str) -> None:
        if port is None:
            return
        bound = bind(self._where.address, port, setting=setting, shared=self._shared, stream=True)
        room = min(settings.COAP_TCP_CONNECTIONS, descriptors.part(descriptors.STREAMS))
        self._streams[plane] = TcpListener(
            bound,
            counters=self._counters,
            on_lost=self._engine.fail,
            on_closed=lambda lane, connection: self._engine.drop(
                lane, connection, "the TCP connection ended"
            ),
            rates=self._rates(),
            room=room,
            room_per_host=settings.COAP_TCP_CONNECTIONS_PER_HOST or max(1, room // 4),
        )

    async def start(
        self,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[Exchange], None],
        *,
        others: Collection[int] = (),
    ) -> None:
        """Adopt the DTLS sessions of the last clean stop, then listen; `others` are numbers of processes that run."""
        for plane, secured in self._secured.items():
            adopted = secured.adopt(self._kept(plane, others))
            await self.end_unusable(plane)
            logger.info("dtls_sessions_adopted plane=%s count=%d", plane.value, adopted)
            secured.start(loop, self._lane(plane, "dtls", secured.transmit, take, secured.room))
        first = [secured.socket for secured in self._secured.values()]
        for plane, plain in self._plain.items():
            plain.start(loop, self._lane(plane, "udp", plain.transmit, take), first=first)
        for plane, stream in self._streams.items():
            await stream.start(loop, self._lane(plane, "tcp", stream.transmit, take, stream.room_of))

    def _kept(self, plane: Plane, others: Collection[int]) -> bytes:
        """The exports of this number and, on ports that are ours alone, of numbers that no process has."""
        found = session_file.take(self._number, plane.value)
        for number in session_file.left_behind(plane.value):
            if number in others:
                continue
            if self._shared:  # its records are steered by their first byte, and to nobody
                logger.warning(
                    "dtls_sessions_left plane=%s number=%d remedy=start a process of that number",
                    plane.value,
                    number,
                )
                continue
            found += session_file.take(number, plane.value)
        return found

    def _lane(
        self,
        plane: Plane,
        transport: str,
        transmit: Callable[[Hashable, bytes], None],
        take: Callable[[Exchange], None],
        room: Callable[[Hashable], int] | None = None,
    ) -> Lane:
        return Lane(
            plane=_NAMES[plane],
            transport=transport,
            transmit=transmit,
            take=take,
            engine=self._engine,
            counters=self._counters,
            room=room,
        )

    def route(
        self, plane: Plane, origin: Origin, operator_id: int | None = None
    ) -> tuple[Lane, Hashable] | None:
        """The lane and peer that lead to where a device was last heard; None when that way is closed.

        For DTLS that is the session of the very identity that registered (L-20), at whatever address it is now.
        By SMS it is the link of the device's operator, if this process holds it.
        """
        if not origin.host:
            return None  # another device has its address now
        if origin.transport == "sms":
            return None if self.sms is None else self.sms.route(operator_id, origin.identity)
        if origin.transport == "udp":
            lane = self._plain[plane].lane
            return None if lane is None else (lane, (origin.host, origin.port))
        if origin.transport == "tcp" and plane in self._streams:
            lane = self._streams[plane].lane
            connection = self._streams[plane].connection_of((origin.host, origin.port))
            return None if lane is None or connection is None else (lane, connection)
        if origin.transport == "dtls" and origin.identity is not None:
            listener = self._secured[plane]
            session = listener.session_of(origin.identity, origin.credential_id)
            return None if session is None or listener.lane is None else (listener.lane, session)
        return None

    def end_sessions(self, credential_ids: Iterable[int]) -> int:
        """Close the DTLS sessions that were made with these keys, on both planes; returns how many."""
        ids = list(credential_ids)
        return sum(listener.end(ids) for listener in self._secured.values())

    async def end_unusable(self, *planes: Plane) -> int:
        """Close the DTLS sessions whose key was taken back, or whose device or operator may not connect now."""
        ended = 0
        for plane in planes or self._secured:
            listener = self._secured[plane]
            ids = listener.credential_ids()
            for start in range(0, len(ids), LOOKED_AT_ONCE):
                part = ids[start : start + LOOKED_AT_ONCE]
                good = await self._database.run(credentials.usable, part)
                ended += listener.end(set(part) - good)
        if ended:
            logger.info("dtls_sessions_ended count=%d", ended)
        return ended

    def _known(self, session: dtls.Session) -> None:
        if self.on_known is not None:
            self.on_known(session)

    def sessions(self, plane: Plane) -> list[dtls.Session]:
        """The live DTLS sessions of a plane."""
        return self._secured[plane].server.sessions

    def port_of(self, plane: Plane, *, secured: bool) -> int:
        return self._secured[plane].port if secured else self._plain[plane].port

    def stream_port_of(self, plane: Plane) -> int:
        """Of CoAP over TCP, which is listened on."""
        return self._streams[plane].port

    def pause(self) -> None:
        """Read no more; answers still leave."""
        for listener in self._listeners():
            listener.pause()

    async def stop(self) -> None:
        """Keep the DTLS sessions for the next start, then close."""
        loop = asyncio.get_running_loop()
        for plane, listener in self._secured.items():
            if listener.lane is None or not listener.server.sessions:
                continue
            exported = listener.export()
            try:
                await loop.run_in_executor(None, session_file.write, self._number, plane.value, exported)
            except OSError as error:
                logger.warning("dtls_sessions_not_kept plane=%s error=%s", plane.value, error)
        self._close()

    def _close(self) -> None:
        for listener in self._listeners():
            listener.close()

    def _listeners(self) -> list[UdpListener | DtlsListener | TcpListener]:
        return [*self._plain.values(), *self._secured.values(), *self._streams.values()]


def _nobody(session: dtls.Session) -> None:
    """Sessions with the bootstrap server lead nowhere later."""


def _keys(plane: Plane, identities: list[bytes]) -> list[Key | NoKey]:
    """On a database thread."""
    found = credentials.answers(plane=plane.value, identities=identities)
    return [_key(found[identity]) for identity in identities]


def _key(found: credentials.Key | credentials.Known) -> Key | NoKey:
    if isinstance(found, credentials.Key):
        return Key(found.key, found.credential_id)
    return NoKey(found.cause, found.device_id)

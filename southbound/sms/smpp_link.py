"""An operator's SMPP link: one connection at a time, bound again with back-off and jitter when it ends.

`smpp.Session` knows the protocol, this knows the socket and the clock. Everything runs on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import smpp
from devices.messaging import smsc_networks
from devices.messaging.models import LinkState
from devices.messaging.services.smsc_links import Link

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
UNREACHED = "No SMSC answers there as it should."
TICK_SECONDS = 0.25
UNBIND_SECONDS = 0.5
BURSTS_PER_SECOND = 10


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds between attempts: doubled from the first to the longest, each cut by up to a half at random.

    `refused` is for a bind that no repetition mends; `steady` is how long a link must have stood to begin anew.
    """

    first: float = 1.0
    longest: float = 60.0
    refused: float = 300.0
    steady: float = 10.0
    response: float = 30.0
    enquire: float = 30.0


class Owner(Protocol):
    """Who is told what happens; none of these may raise."""

    def link_state(self, state: str, cause: str, detail: str) -> None: ...
    def link_received(self, handle: int, body: smpp.Carrier) -> None: ...
    def link_answered(self, event: smpp.Answered | smpp.Unanswered) -> None: ...
    def link_room(self) -> None: ...


class SmppLink:
    """`run` is a task that ends only when it is cancelled."""

    def __init__(self, link: Link, owner: Owner, *, patience: Patience | None = None) -> None:
        self.link = link
        self._owner = owner
        self._patience = patience or Patience()
        self._connection: _Connection | None = None
        self._again = asyncio.Event()
        self._attempts = 0

    @property
    def is_bound(self) -> bool:
        return self._connection is not None and self._connection.session.is_bound

    def room(self) -> int:
        """How many messages may be submitted now; none while the socket takes nothing more."""
        connection = self._connection
        if connection is None or connection.is_paused:
            return 0
        return connection.session.room(_now())

    def room_in(self) -> float | None:
        """Seconds until the rate leaves room; None while only an answer or a bind can make some."""
        at = None if self._connection is None else self._connection.session.room_at(_now())
        return None if at is None else max(0.0, at - _now())

    def submit(self, message: smpp.SubmitSm, key: int) -> None:
        """Raises `smpp.SmppError` before anything is sent. What is not sent in one go pauses the link."""
        assert self._connection is not None
        self._connection.play(self._connection.session.submit(message, key, _now()))

    def acknowledger(self, handle: int) -> Callable[[int], None]:
        """What acknowledges a message, with a status, over the very connection it came by."""
        connection = self._connection

        def acknowledge(status: int) -> None:
            if connection is not None:
                connection.play(connection.session.acknowledge(handle, status, now=_now()))

        return acknowledge

    def bind_now(self) -> None:
        """Begin at once with a new connection."""
        self._attempts = 0
        if self._connection is not None:
            self._connection.end()
        self._again.set()

    async def run(self) -> None:
        while True:
            self._again.clear()
            try:
                seconds = await self._once()
            except Exception as error:  # a host name that is none, settings that fit no PDU
                self._connection = None
                seconds = self._unreached(f"{type(error).__name__}: {error}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # `wait_for` can swallow the cancellation
                    await self._again.wait()

    async def close(self) -> None:
        """Leave politely, in the time there is."""
        connection = self._connection
        if connection is not None:
            connection.play(connection.session.unbind(_now()))
            await asyncio.wait([connection.closed], timeout=UNBIND_SECONDS)
            connection.end()

    async def _once(self) -> float:
        """One connection from its beginning to its end; returns how long to wait before the next."""
        self._owner.link_state(LinkState.BINDING, "", "")
        connection = _Connection(self._session(), self._owner)
        began = _now()
        self._connection = (
            connection  # at once: the SMSC's first words may be read before we are told of the connection
        )
        try:
            await self._connect(connection)
        except (OSError, TimeoutError, ssl.SSLError) as error:
            self._connection = None
            return self._unreached(str(error) or f"No connection within {CONNECT_SECONDS:.0f} s.")
        try:
            await connection.closed
        finally:
            self._connection = None
            connection.end()
        logger.info("smpp_ended operator=%d reason=%s", self.link.operator_id, connection.closed.result())
        refused = connection.refused
        if refused is not None:
            self._owner.link_state(LinkState.REFUSED, "SMSC_REFUSED", smpp.describe(refused.status))
            return self._pause() if refused.may_retry else self._patience.refused
        if not connection.was_bound:
            return self._unreached(connection.closed.result())
        self._owner.link_state(LinkState.DOWN, "SMSC_UNREACHABLE", connection.closed.result())
        if _now() - began >= self._patience.steady:
            self._attempts = 0
        return self._pause()

    def _unreached(self, reason: str) -> float:
        """One word for whatever is there instead of an SMSC: a link is no way to find out. The log knows more."""
        logger.warning("smpp_unreachable operator=%d reason=%s", self.link.operator_id, reason)
        self._owner.link_state(LinkState.DOWN, "SMSC_UNREACHABLE", UNREACHED)
        return self._pause()

    async def _connect(self, connection: _Connection) -> None:
        """To one of the addresses that the host has now and that the settings allow. Raises OSError."""
        loop = asyncio.get_running_loop()
        host, port = self.link.host, self.link.port
        tls: dict[str, Any] = {}
        if self.link.use_tls:
            tls = {"ssl": ssl.create_default_context(), "server_hostname": host}
        problem = OSError("The host has no address that SMSC_NETWORKS and SMSC_PORTS allow.")
        async with asyncio.timeout(CONNECT_SECONDS):
            for *_, where in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                if not smsc_networks.allows(str(where[0]), port):
                    continue
                try:
                    await loop.create_connection(lambda: connection, str(where[0]), port, **tls)
                except OSError as error:
                    problem = error
                else:
                    return
        raise problem

    def _session(self) -> smpp.Session:
        link = self.link
        rate = link.messages_per_second
        limits = smpp.Limits(
            window=link.window,
            per_second=float(rate),
            burst=max(1, rate // BURSTS_PER_SECOND),
            response_timeout=self._patience.response,
            enquire_after=self._patience.enquire,
        )
        own = smpp.Address.parse(link.address)
        bind = smpp.Bind(
            link.system_id,
            link.password,
            link.system_type,
            addr_ton=own.ton,
            addr_npi=own.npi,
            address_range=own.digits,
        )
        return smpp.Session(bind, limits)

    def _pause(self) -> float:
        seconds = min(self._patience.longest, self._patience.first * 2.0 ** min(self._attempts, 16))
        self._attempts += 1
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class _Connection(asyncio.Protocol):
    """A socket and its session. `closed` has the reason as its result."""

    def __init__(self, session: smpp.Session, owner: Owner) -> None:
        self.session = session
        self.refused: smpp.BindRefused | None = None
        self.was_bound = False
        self.is_paused = False
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # What the kernel does not take at once pauses us: so all that was submitted may have arrived, and all that
        # was not can still be kept back.
        self._transport.set_write_buffer_limits(high=0)
        self.play(self.session.start(_now()))
        self._tick()

    def data_received(self, data: bytes) -> None:
        self.play(self.session.receive(data, _now()))

    def connection_lost(self, exc: Exception | None) -> None:
        reason = "The SMSC closed the connection." if exc is None else str(exc) or type(exc).__name__
        self.play(self.session.lost(reason))

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        self._owner.link_room()

    def end(self) -> None:
        """Close now; what was under way is told as unanswered."""
        self.play(self.session.lost("The link was closed."))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.close()

    def play(self, events: list[smpp.Event]) -> None:
        """Do what the session wants and tell what it says."""
        makes_room = False
        for event in events:
            match event:
                case smpp.Transmit(octets):
                    if self._transport is not None and not self._transport.is_closing():
                        self._transport.write(octets)
                case smpp.Received(handle, body):
                    self._owner.link_received(handle, body)
                case smpp.Answered() | smpp.Unanswered():
                    self._owner.link_answered(event)
                    makes_room = True
                case smpp.Bound():
                    self.was_bound = makes_room = True
                    self._owner.link_state(LinkState.BOUND, "", event.system_id)
                case smpp.BindRefused():
                    self.refused = event
                case smpp.Closed(reason):
                    self._finish(reason)
                case smpp.Fault(detail):
                    logger.info("smpp_fault detail=%s", detail[:200])
        if makes_room and self.session.is_bound:
            self._owner.link_room()

    def _finish(self, reason: str) -> None:
        if not self.closed.done():
            self.closed.set_result(reason)
        if self._transport is not None:
            self._transport.close()

    def _tick(self) -> None:
        self.play(self.session.tick(_now()))
        if not self.closed.done():
            self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)


def _now() -> float:
    return asyncio.get_running_loop().time()

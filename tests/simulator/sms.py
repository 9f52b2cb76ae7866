"""A loopback SMSC for tests, a bare ESME that shows what it got, and a LwM2M server that is reached by SMS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from simulator.smpp_wire import SmppWire
from simulator.smsc import Smsc
from smpp import (
    Address,
    Answered,
    Bind,
    Closed,
    Event,
    Limits,
    Reassembly,
    Received,
    Session,
    Status,
    is_receipt,
    part_of,
    split,
    submit_sm,
)
from smpp.pdus import Carrier
from tests.fakes.waiting import eventually
from tests.simulator.peers import Server

ACCOUNTS = {"portal": "secret", "device": "device"}


@asynccontextmanager
async def smsc(**options: Any) -> AsyncIterator[Smsc]:
    """An SMSC on a free port of loopback inside the block."""
    running = Smsc(ACCOUNTS, **{"repeat_seconds": 0.1, **options})
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
        await asyncio.sleep(0)


class HasPort(Protocol):
    """Any SMSC: the loopback one, or one that we did not write."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class Esme:
    """Bound with a number; keeps every event. ``acknowledges`` None leaves what it gets unacknowledged."""

    def __init__(self, number: str, *, acknowledges: int | None = Status.OK, **limits: Any) -> None:
        self.own = Address.parse(number)
        self.acknowledges = acknowledges
        self.password = "secret"
        self.events: list[Event] = []
        self.limits = Limits(**{"window": 100, **limits})
        self.heard: Callable[[Carrier], None] | None = None
        self._reference = 0

    async def __aenter__(self) -> Esme:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut the connection; one that the SMSC of `smsc` cuts needs no ``async with``."""
        self.wire.cut()
        await asyncio.sleep(0)

    async def connect(self, to: HasPort, system_id: str = "portal", password: str | None = None) -> Esme:
        """Connect and ask to be bound."""
        loop = asyncio.get_running_loop()
        bind = Bind(
            system_id,
            self.password if password is None else password,
            addr_ton=self.own.ton,
            addr_npi=self.own.npi,
            address_range=self.own.digits,
        )
        self.session = Session(bind, self.limits)
        self.wire = SmppWire(self.session, self._handle)
        await loop.create_connection(lambda: self.wire, to.host, to.port)
        self.wire.act(self.session.start(loop.time()))
        return self

    async def bound(self, to: HasPort) -> Esme:
        """Connect and wait until it is bound."""
        await self.connect(to)
        await eventually(lambda: self.session.is_bound)
        return self

    def _handle(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Received) and self.acknowledges is not None:
            now = asyncio.get_running_loop().time()
            self.wire.act(self.session.acknowledge(event.handle, self.acknowledges, now=now))
            if self.heard is not None:
                self.heard(event.body)

    def submit(self, number: str, payload: bytes, key: object = None, **options: Any) -> None:
        """Send a payload, in parts where it must."""
        self._reference = self._reference % 255 + 1
        for part in split(payload, reference=self._reference):
            message = submit_sm(part, source=self.own, destination=Address.parse(number), **options)
            self.wire.act(self.session.submit(message, key, asyncio.get_running_loop().time()))

    @property
    def received(self) -> list[Carrier]:
        return [event.body for event in self.events if isinstance(event, Received)]

    @property
    def answers(self) -> list[Answered]:
        return [event for event in self.events if isinstance(event, Answered)]

    @property
    def is_closed(self) -> bool:
        return any(isinstance(event, Closed) for event in self.events)


class SmsServer:
    """Hands a `Server` of `tests.simulator.peers` what comes to a number, and sends its answers from there."""

    def __init__(self, server: Server, number: str) -> None:
        self.server = server
        self.esme = Esme(number)
        self.payloads: list[bytes] = []
        self._gathered: Reassembly[None] = Reassembly()
        server.uri = f"tel:{number}"

    @asynccontextmanager
    async def at(self, smsc: HasPort) -> AsyncIterator[Server]:
        """Bound inside the block."""
        self.esme.heard = self._heard
        async with self.esme:
            await self.esme.bound(smsc)
            try:
                yield self.server
            finally:
                for caller in self.server.callers.values():
                    caller.conversation.close()

    def _heard(self, body: Carrier) -> None:
        whole = None if is_receipt(body) else self._gathered.add(str(body.source), part_of(body), None, 0.0)
        if whole is not None:
            self.payloads.append(whole.payload)
            number = str(body.source)
            self.server.incoming(whole.payload, number, lambda reply: self.esme.submit(number, reply))

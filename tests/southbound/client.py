"""A bare CoAP client: sends exactly the bytes it is told to, and reads what comes back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import aiocoap
from aiocoap import Message
from aiocoap.numbers.types import Type
from django.db import connections

from devices.inventory.models import Plane
from lwm2m.messages import Request
from southbound.process.worker import Southbound
from tests.fakes import foreign

SECONDS = 30.0
LINKS = b'</>;rt="oma.lwm2m";ct="60 110 112",</1/0>,</3/0>'


@dataclass
class Answer:
    """What came back, decoded enough for a test."""

    code: str
    location: tuple[str, ...]
    payload: bytes
    raw: bytes
    message: Message

    @property
    def path(self) -> str:
        return "/".join(self.location)


class Wire(asyncio.DatagramProtocol):
    """A UDP socket of its own: one device's port. All are closed when the scene ends."""

    open_ones: ClassVar[list[Wire]] = []

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.mid = int.from_bytes(os.urandom(2), "big")

    @classmethod
    async def to(cls, port: int, host: str = "127.0.0.1") -> Wire:
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_datagram_endpoint(cls, remote_addr=(host, port))
        cls.open_ones.append(wire)
        return wire

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        self.inbox.put_nowait(data)

    def error_received(self, exc) -> None:
        pass

    def close(self) -> None:
        self.transport.close()

    @classmethod
    async def close_all(cls) -> None:
        while cls.open_ones:
            cls.open_ones.pop().close()
        await asyncio.sleep(0)  # the loop closes them on its next turn

    @property
    def local_port(self) -> int:
        return self.transport.get_extra_info("sockname")[1]

    def encode(self, request: Request, *, options: Callable[[Message], None] | None = None) -> bytes:
        self.mid = self.mid + 1 & 0xFFFF
        kind = Type.CON if request.confirmable else Type.NON
        message = foreign.message(
            kind, self.mid, os.urandom(4), code=aiocoap.Code(request.code), payload=request.payload
        )
        message.opt.uri_path = request.path
        message.opt.uri_query = request.query
        message.opt.content_format = request.content_format
        message.opt.accept = request.accept
        if options is not None:
            options(message)
        return message.encode()

    def send(self, data: bytes) -> None:
        self.transport.sendto(data)

    async def next(self, seconds: float = SECONDS) -> bytes:
        return await asyncio.wait_for(self.inbox.get(), seconds)

    async def ask_raw(self, data: bytes, seconds: float = SECONDS) -> Answer:
        """Send and wait for the answer with the same token."""
        self.send(data)
        token = data[4 : 4 + (data[0] & 15)]
        while True:
            raw = await self.next(seconds)
            if raw[4 : 4 + (raw[0] & 15)] == token and raw[1] >= 0x40:
                return decode(raw)

    async def ask(self, request: Request, **kwargs) -> Answer:
        return await self.ask_raw(self.encode(request, **kwargs))

    async def is_alive(self) -> None:
        """A CoAP ping is answered, so everything sent before it was dealt with."""
        self.mid = self.mid + 1 & 0xFFFF
        self.send(bytes((0x40, 0, self.mid >> 8, self.mid & 0xFF)))
        expected = bytes((0x70, 0, self.mid >> 8, self.mid & 0xFF))
        while await self.next() != expected:
            continue


def decode(raw: bytes) -> Answer:
    message = Message.decode(raw)
    return Answer(message.code.dotted, message.opt.location_path, message.payload, raw, message)


async def management(southbound: Southbound) -> Wire:
    return await Wire.to(southbound.ports.port_of(Plane.MANAGEMENT, secured=False))


async def bootstrap(southbound: Southbound) -> Wire:
    return await Wire.to(southbound.ports.port_of(Plane.BOOTSTRAP, secured=False))


async def until(condition: Callable[[], object], seconds: float = SECONDS) -> object:
    """Wait until `condition`, asked again and again off the loop, says something true."""

    def ask() -> object:
        try:
            return condition()
        finally:
            connections.close_all()

    async with asyncio.timeout(seconds):
        while not (found := await asyncio.to_thread(ask)):
            await asyncio.sleep(0.02)
    return found

"""A small server for tests: plain UDP, one CoAP conversation for each address that calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from lwm2m import wire
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.messages import BootstrapRequest, Deregister, Register, Request, Response, Send, Update
from simulator import coap
from simulator.coap import Answer
from simulator.exchanges import Exchanges, NoAnswer
from simulator.transmissions import Tuning

S = TypeVar("S", bound="Server")

TUNING = Tuning(ack_timeout=0.05, separate_timeout=5.0)


@dataclass
class Caller:
    """Whoever calls from one address."""

    address: object
    exchanges: Exchanges
    endpoint: str = ""
    notifications: list[tuple[bytes, Response]] = field(default_factory=list)

    async def ask(self, code: Code, path: str = "/", **what: object) -> Response:
        """Send the device a request; the query may stand behind a ``?``."""
        target, _, query = path.partition("?")
        segments = tuple(filter(None, target.split("/")))
        parts = tuple(filter(None, query.split("&")))
        return await self.exchanges.request(Request(code, segments, parts, **what))  # type: ignore[arg-type]


class Server(asyncio.DatagramProtocol):
    """Answers Register, Update, De-register and Send; ``codes`` overrides the answer of a message type."""

    plane: wire.Plane = "management"

    def __init__(self) -> None:
        self.callers: dict[object, Caller] = {}
        self.registered: dict[str, Caller] = {}
        self.ids: dict[str, str] = {}
        self.messages: list[object] = []
        self.codes: dict[type, Code] = {}
        self.observed: dict[bytes, list[Response]] = {}
        self.uri = ""
        self.reset_notifications = False
        self._changed = asyncio.Event()
        self._next = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        port = transport.get_extra_info("sockname")[1]
        self.uri = f"coap://127.0.0.1:{port}"

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.incoming(data, addr, lambda reply: self.transport.sendto(reply, addr))  # type: ignore[attr-defined]

    def incoming(self, data: bytes, key: object, transmit: Callable[[bytes], None]) -> None:
        caller = self.callers.get(key)
        if caller is None:
            caller = self.callers[key] = Caller(key, Exchanges(
                transmit=transmit, serve=lambda request, token: self._serve(caller, request), tuning=TUNING
            ))  # fmt: skip
        packet = coap.decode(data)
        if packet is not None and packet.kind is not coap.Kind.ACK and packet.token in self.observed:
            self._notified(packet, transmit)
            return
        caller.exchanges.receive(data)

    def _notified(self, packet: coap.Packet, transmit: Callable[[bytes], None]) -> None:
        assert packet.response is not None
        self.observed[packet.token].append(packet.response)
        if self.reset_notifications:
            transmit(coap.empty(coap.Kind.RST, packet.mid))
        elif packet.kind is coap.Kind.CON:
            transmit(coap.empty(coap.Kind.ACK, packet.mid))
        self._changed.set()

    def _serve(self, caller: Caller, request: Request) -> Answer:
        try:
            message = wire.parse(request, plane=self.plane)
        except Lwm2mError as error:
            message = error
            self.messages.append(error)
            return Answer(error.code)
        self.messages.append(message)
        self._changed.set()
        code = self.codes.get(type(message))
        return Answer(code) if code is not None else self.answer(caller, message)

    def answer(self, caller: Caller, message: object) -> Answer:
        if isinstance(message, Register):
            self._next += 1
            self.registered[message.endpoint or ""] = caller
            self.ids[str(self._next)] = message.endpoint or ""
            caller.endpoint = message.endpoint or ""
            return Answer(Code.CREATED, location=("rd", str(self._next)))
        if isinstance(message, Update):
            known = self.ids.get(message.registration_id)
            if known is None:
                return Answer(Code.NOT_FOUND)
            self.registered[known] = caller
            return Answer(Code.CHANGED)
        if isinstance(message, Deregister):
            gone = self.ids.pop(message.registration_id, None)
            return Answer(Code.NOT_FOUND if gone is None else Code.DELETED)
        return Answer(Code.CHANGED)

    def of(self, kind: type) -> list:
        """The messages of one type so far."""
        return [message for message in self.messages if isinstance(message, kind)]

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def observe(self, endpoint: str, path: str, **what: object) -> tuple[bytes, Response]:
        """Begin an observation; notifications land in ``observed[token]``."""
        exchanges = self.registered[endpoint].exchanges
        token = exchanges.upcoming_token
        self.observed[token] = []
        response = await self.registered[endpoint].ask(Code.GET, path, observe=0, **what)
        return token, response

    def close(self) -> None:
        for caller in self.callers.values():
            caller.exchanges.close()
        self.transport.close()


class BootstrapServer(Server):
    """Answers Bootstrap-Request and then sends its ``script`` to the device, one request after the other."""

    plane: wire.Plane = "bootstrap"

    def __init__(self, script: list[Request]) -> None:
        super().__init__()
        self.script = script
        self.answers: list[Response | str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def answer(self, caller: Caller, message: object) -> Answer:
        if not isinstance(message, BootstrapRequest):
            return Answer(Code.BAD_REQUEST)
        self.answers = []
        task = asyncio.get_running_loop().create_task(self._run(caller))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return Answer(Code.CHANGED)

    async def _run(self, caller: Caller) -> None:
        for request in self.script:
            try:
                self.answers.append(await caller.exchanges.request(request))
            except NoAnswer as error:
                self.answers.append(str(error))
                break
            finally:
                self._changed.set()

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        super().close()


@asynccontextmanager
async def running(server: S) -> AsyncIterator[S]:
    """Serve on a free port of loopback inside the block."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        server.close()
        await asyncio.sleep(0)


__all__ = ["BootstrapServer", "Caller", "Send", "Server", "running"]

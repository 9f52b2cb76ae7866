"""A small server for tests: plain UDP, one CoAP conversation for each address that calls."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from coap import Notified, Tuning
from coap.events import Event
from lwm2m import wire
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.messages import BootstrapRequest, Deregister, Register, Request, Response, Send, Update
from simulator.answers import Answer, NoAnswer, known_code
from simulator.conversation import Conversation

S = TypeVar("S", bound="Server")

TUNING = Tuning(ack_timeout=0.05, response_seconds=5.0)
_TOKENS = itertools.count(1)


class ServersSide(Conversation):
    """A conversation in which notifications are welcome, or reset."""

    def __init__(self, *, notified: Callable[[Notified], bool], **more: Any) -> None:
        super().__init__(observes=True, tuning=TUNING, **more)
        self._notified = notified

    def _take(self, event: Event) -> None:
        if not isinstance(event, Notified):
            super()._take(event)
        elif self._notified(event):
            self.endpoint.accept(event)
        else:
            self.endpoint.reject(event)


@dataclass
class Caller:
    """Whoever calls from one address."""

    address: object
    conversation: ServersSide
    endpoint: str = ""
    largest: int = 0
    """Bytes of the largest message from there."""

    async def ask(
        self, code: Code, path: str = "/", *, token: bytes | None = None, **what: object
    ) -> Response:
        """Send the device a request; the query may stand behind a ``?``."""
        target, _, query = path.partition("?")
        segments = tuple(filter(None, target.split("/")))
        parts = tuple(filter(None, query.split("&")))
        request = Request(code, segments, parts, **what)  # type: ignore[arg-type]
        return await self.conversation.request(request, token=token)


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
        self.lose_answers = False
        self.lost: list[bytes] = []
        """What devices answered, and did not arrive."""
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
            caller = self.callers[key] = Caller(key, ServersSide(
                transmit=transmit,
                serve=lambda request, token: self._serve(caller, request),
                notified=self._notified,
            ))  # fmt: skip
        caller.largest = max(caller.largest, len(data))
        if self.lose_answers and data[1] >= 0x40:
            self.lost.append(data)
        else:
            caller.conversation.receive(data)

    def _notified(self, notified: Notified) -> bool:
        """Whether it is welcome."""
        said, kept = notified.response, self.observed.get(notified.token)
        if kept is None:
            return False
        kept.append(Response(known_code(said.code), said.payload, said.content_format))
        self._changed.set()
        return not self.reset_notifications

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
        token = self.new_token()
        response = await self.registered[endpoint].ask(Code.GET, path, token=token, observe=0, **what)
        return token, response

    def new_token(self) -> bytes:
        """One under which notifications land in ``observed``."""
        token = next(_TOKENS).to_bytes(4, "big")
        self.observed[token] = []
        return token

    def close(self) -> None:
        for caller in self.callers.values():
            caller.conversation.close()
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
                self.answers.append(await caller.conversation.request(request))
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

"""A storm of devices over real UDP sockets, which remember what was acknowledged to them and what was not yet."""

from __future__ import annotations

import os
import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from aiocoap import Message
from aiocoap.numbers.codes import CHANGED, CREATED, DELETE, DELETED, POST, SERVICE_UNAVAILABLE, Code
from aiocoap.numbers.types import Type

from tests.fakes import foreign
from tests.flows.stores import Row

LINKS = b'</>;rt="oma.lwm2m";ct="60 110 112",</1/0>,</3/0>'
REGISTER, UPDATE, LIFETIME, DEREGISTER = "Register", "Update", "Update with lt", "De-register"


@dataclass(frozen=True)
class Request:
    """A request that is on its way; `lifetime` is what it asks for."""

    kind: str
    token: bytes
    sent_at: float
    lifetime: int


class Device:
    """One device with a socket of its own and at most one request open."""

    def __init__(self, endpoint: str, chance: random.Random) -> None:
        self.endpoint = endpoint
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self._chance = chance
        self._mid = chance.randrange(0x10000)
        self.open: Request | None = None
        self.registration_id = ""  # acknowledged; empty: none, or De-register was acknowledged
        self.lifetime = 0
        self.seen_at = 0.0
        self.was_heard = False

    def ask(self) -> None:
        """Send what a device might send next."""
        kind = REGISTER
        if self.registration_id:
            kind = self._chance.choices([UPDATE, LIFETIME, REGISTER, DEREGISTER], [60, 20, 10, 10])[0]
        self._mid = self._mid + 1 & 0xFFFF
        token = os.urandom(4)
        message = foreign.message(Type.CON, self._mid, token, code=DELETE if kind == DEREGISTER else POST)
        lifetime = self.lifetime if kind == UPDATE else self._chance.randrange(3_600, 1_000_000)
        if kind == REGISTER:
            message.opt.uri_path = ("rd",)
            message.opt.uri_query = (f"ep={self.endpoint}", f"lt={lifetime}", "lwm2m=1.1", "b=U")
            message.opt.content_format = 40
            message.payload = LINKS
        else:
            message.opt.uri_path = ("rd", self.registration_id)
            if kind == LIFETIME:
                message.opt.uri_query = (f"lt={lifetime}",)
        self.open = Request(kind, token, time.time(), lifetime)
        try:
            self.socket.send(message.encode())
        except ConnectionRefusedError:  # the process is dead: never acknowledged, and nothing else will be
            return

    def hear(self) -> list[str]:
        """Take what came; the kinds of requests that were acknowledged by it."""
        heard = []
        while True:
            try:
                answer = Message.decode(self.socket.recv(2048))
            except (BlockingIOError, ConnectionRefusedError):
                return heard
            request = self.open
            if request is None or answer.token != request.token:
                continue
            self.open = None
            if answer.code == SERVICE_UNAVAILABLE:  # says that nothing was stored
                continue
            self._acknowledge(request, answer)
            heard.append(request.kind)

    def _acknowledge(self, request: Request, answer: Message) -> None:
        expected: dict[str, Code] = {REGISTER: CREATED, DEREGISTER: DELETED}
        problem = f"{self.endpoint}: {request.kind} of {self.registration_id!r} got {answer.code}"
        assert answer.code == expected.get(request.kind, CHANGED), problem
        self.was_heard = True
        self.lifetime, self.seen_at = request.lifetime, request.sent_at
        if request.kind == REGISTER:
            self.registration_id = answer.opt.location_path[1]
        elif request.kind == DEREGISTER:
            self.registration_id = ""

    def contradicts(self, row: Row | None) -> str:
        """Why `row` cannot be, after all that was acknowledged; empty when it can."""
        unknown = self.open.kind if self.open else ""  # perhaps stored, perhaps not
        if not self.was_heard:
            return ""
        if row is None:
            return "an acknowledged Register is not there"
        if not self.registration_id:
            return "an acknowledged De-register is undone" if row.is_live and unknown != REGISTER else ""
        if unknown != REGISTER and row.registration_id != self.registration_id:
            return f"/rd/{self.registration_id} was acknowledged, /rd/{row.registration_id} is there"
        if not row.is_live and unknown != DEREGISTER:
            return "an acknowledged registration is not live"
        if row.last_seen < self.seen_at:
            return (
                f"the last acknowledged request is {self.seen_at - row.last_seen:.3f} s newer than last_seen"
            )
        if unknown not in (REGISTER, LIFETIME) and row.lifetime_seconds != self.lifetime:
            return f"lt={self.lifetime} was acknowledged, {row.lifetime_seconds} is there"
        return ""

    def forget_open(self) -> None:
        """Nobody knows whether the open request was stored: begin anew with a Register."""
        if self.open is not None:
            self.open, self.registration_id, self.was_heard = None, "", False


class Storm:
    """All devices at once, each as fast as it is answered."""

    def __init__(self, devices: list[Device], port: int) -> None:
        self.devices = devices
        self.acknowledged: Counter[str] = Counter()
        self._poll = selectors.DefaultSelector()
        for device in devices:
            device.socket.connect(("127.0.0.1", port))
            self._poll.register(device.socket, selectors.EVENT_READ, device)

    def rage(self, until: Callable[[int], bool]) -> int:
        """Go on until `until(acknowledged so far in this call)`; then no new requests. Returns that number."""
        count = 0
        for device in self.devices:
            if device.open is None:
                device.ask()
        while not until(count):
            for key, _ in self._poll.select(0.05):
                count += self._hear(key.data)
                if key.data.open is None:
                    key.data.ask()
        return count

    def drain(self) -> None:
        """Take what is left in the sockets of a server that is dead: it was acknowledged all the same."""
        for device in self.devices:
            self._hear(device)

    def _hear(self, device: Device) -> int:
        heard = device.hear()
        self.acknowledged.update(heard)
        return len(heard)

    def close(self) -> None:
        self._poll.close()
        for device in self.devices:
            device.socket.close()

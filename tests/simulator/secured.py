"""The test servers behind DTLS: the server of the dtls room on the same socket."""

from __future__ import annotations

import asyncio
import contextlib

from dtls.config import ServerConfig
from dtls.errors import SessionGone
from dtls.events import Event, KeyWanted, Received, Transmit
from dtls.server import Server as DtlsServer
from dtls.session import Session
from tests.simulator.peers import BootstrapServer, Server


class Secured(Server):
    """Mixed into a server: `keys` maps identities to keys."""

    keys: dict[bytes, bytes]
    config = ServerConfig(retransmit_after=0.2)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.uri = self.uri.replace("coap:", "coaps:")
        self.loop = asyncio.get_running_loop()
        self.dtls = DtlsServer(self.config)
        self.refusals: list[Event] = []

    def datagram_received(self, data: bytes, addr: tuple) -> None:  # type: ignore[override]
        self._handle(self.dtls.receive(data, addr, self.loop.time()))

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Transmit():
                    self.transport.sendto(event.datagram, event.address)  # type: ignore[attr-defined]
                case KeyWanted():
                    key = self.keys.get(event.identity)
                    self._handle(self.dtls.provide_key(event.handshake, key, self.loop.time()))
                case Received():
                    self._received(event.session, event.plaintext)
                case _:
                    self.refusals.append(event)
        self._changed.set()

    def _received(self, session: Session, plaintext: bytes) -> None:
        def transmit(reply: bytes) -> None:
            with contextlib.suppress(SessionGone):
                self._handle(list(self.dtls.send(session, reply, self.loop.time())))

        self.incoming(plaintext, session.id, transmit)


class SecuredServer(Secured, Server):
    """A management server behind DTLS."""

    def __init__(self, keys: dict[bytes, bytes]) -> None:
        super().__init__()
        self.keys = keys


class SecuredBootstrapServer(Secured, BootstrapServer):
    """A bootstrap server behind DTLS."""

    def __init__(self, script: list, keys: dict[bytes, bytes]) -> None:
        BootstrapServer.__init__(self, script)
        self.keys = keys

"""A handshake with oneself: whether an OpenSSL that was never seen before does what this room expects of it.

A wrong version of the private bindings shows by what is missing, or by keys, callbacks and connection ids that are
not where they were. So each suite is tried once, to the end, before the backend is used for anybody else.
"""

from __future__ import annotations

from dtls.backends.interface import Backend
from dtls.client import Client
from dtls.config import ServerConfig
from dtls.errors import BackendUnusable
from dtls.events import Established, Event, KeyWanted, Received, Transmit
from dtls.server import Server
from dtls.suites import DEFAULT_CIPHERS

_ADDRESS = ("self-test", 0)
_IDENTITY, _KEY, _CID = b"self-test", bytes(range(16)), b"self"
_SAID, _ANSWERED = b"up", b"down"
_TURNS = 16
"""Of datagrams to and fro; a handshake takes six."""


def run(backend: Backend) -> None:
    """Raises `BackendUnusable` when a suite does not get as far as data in both directions."""
    for cipher in DEFAULT_CIPHERS:
        try:
            heard = _handshake(backend, cipher)
        except BackendUnusable:
            raise
        except Exception as error:  # private bindings: anything may be another than it was
            raise _failed(backend, cipher, f"{type(error).__name__}: {error}") from error
        if heard != (_SAID, _ANSWERED, _CID):
            raise _failed(backend, cipher, "no data went through a session with a connection id")


def _handshake(backend: Backend, cipher: str) -> tuple[bytes, bytes, bytes]:
    server = Server(ServerConfig(ciphers=(cipher,)), backend=backend)
    client = Client(_IDENTITY, _KEY, (cipher,), _CID, backend=backend)
    up, down, cid = client.start(0.0), list[bytes](), b""
    said, answered = b"", b""
    try:
        for _ in range(_TURNS):
            events: list[Event] = [e for datagram in up for e in server.receive(datagram, _ADDRESS, 0.0)]
            up, down = [], []
            while events:
                match events.pop(0):
                    case Transmit(datagram, _):
                        down.append(datagram)
                    case KeyWanted(number, identity, _):
                        events += server.provide_key(number, _KEY if identity == _IDENTITY else None, 0.0)
                    case Established(session):
                        cid = session.security.peer_cid
                    case Received(session, said, _):
                        events += server.send(session, _ANSWERED, 0.0)
            for event in [e for datagram in down for e in client.receive(datagram, 0.0)]:
                match event:
                    case Transmit(datagram, _):
                        up.append(datagram)
                    case Established():
                        up += client.send(_SAID, 0.0)
                    case Received(_, answered, _):
                        return said, answered, cid
            if not up:
                break
    finally:
        client.close(0.0)
    return said, answered, cid


def _failed(backend: Backend, cipher: str, why: str) -> BackendUnusable:
    return BackendUnusable(
        f"the backend {backend.name!r} ({backend.version}) failed its self-test with {cipher}: {why}. "
        "Choose the other backend (DTLS_BACKEND), or install a version of cryptography that was checked."
    )

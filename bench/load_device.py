"""One device of our own generator: a connected UDP socket, perhaps DTLS on it, and one CoAP exchange at a time."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from collections.abc import Iterator

import dtls

HANDSHAKE, REGISTER, UPDATE = "handshake", "register", "update"
ACK_SECONDS = 2.0
LINKS = b'</>;rt="oma.lwm2m";ct="60 110 112 11542 11543",</1/0>,</3/0>,</3303/0>'
_POST, _CON, _RST = 2, 0, 3


class Device:
    """`begin` sends what a phase wants; `read` returns the answer's code, 0 for a finished handshake, else None."""

    def __init__(
        self,
        port: int,
        endpoint: str,
        *,
        ports: Iterator[int],
        identity: bytes,
        key: bytes,
        cid: bytes | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        for source in ports:  # the first free one; none given: the system's choice
            with contextlib.suppress(OSError):
                self._socket.bind((address, source))
                break
        self._socket.connect(("127.0.0.1", port))
        self._credentials = (identity, key) if key else None
        self._cid = cid
        self._client: dtls.Client | None = None
        self._endpoint = endpoint
        self._mid = random.randrange(0x10000)
        self._token = b""
        self._request = b""
        self._repeat_at = 0.0
        self._patience = 0.0
        self.location = b""
        self.begun_at = 0.0

    @property
    def descriptor(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def begin(self, phase: str, now: float) -> None:
        self.begun_at = now
        if phase == HANDSHAKE:
            assert self._credentials
            self._request = b""
            self._client = dtls.Client(*self._credentials, cid=self._cid)
            self._put(self._client.start(now))
            return
        self._mid = self._mid + 1 & 0xFFFF
        self._token = os.urandom(4)
        head = bytes((0x44, _POST, self._mid >> 8, self._mid & 0xFF)) + self._token
        self._request = head + (self.location if phase == UPDATE else self._register())
        self._patience = ACK_SECONDS * random.uniform(1, 1.5)
        self._repeat_at = now + self._patience
        self._send(self._request)

    def repeat(self, now: float) -> int:
        """Send again what is due; how many."""
        if not self._request:
            events = self._client.tick(now) if self._client else []
            self._put([event.datagram for event in events if isinstance(event, dtls.Transmit)])
            return len(events)
        if now < self._repeat_at:
            return 0
        self._patience *= 2
        self._repeat_at = now + self._patience
        self._send(self._request)
        return 1

    def read(self, now: float) -> int | None:
        found = None
        while True:
            try:
                datagram = self._socket.recv(2048)
            except BlockingIOError:
                return found
            except OSError:  # the port is closed: refused
                return found
            for message in self._open(datagram, now):
                code = 0 if message is None else self._answer(message)
                found = code if code is not None else found

    def _register(self) -> bytes:
        options = b"\xb2rd\x11\x28" + _option(3, f"ep={self._endpoint}".encode())
        return (
            options + b"".join(_option(0, q) for q in (b"lt=86400", b"lwm2m=1.1", b"b=U")) + b"\xff" + LINKS
        )

    def _open(self, datagram: bytes, now: float) -> list[bytes | None]:
        """The CoAP messages in a datagram; None stands for the end of the handshake."""
        if self._client is None:
            return [datagram]
        found: list[bytes | None] = []
        for event in self._client.receive(datagram, now):
            if isinstance(event, dtls.Transmit):
                self._put([event.datagram])
            elif isinstance(event, dtls.Received):
                found.append(event.plaintext)
            elif isinstance(event, dtls.Established):
                found.append(None)
        return found

    def _answer(self, message: bytes) -> int | None:
        kind, code, mid = message[0] >> 4 & 3, message[1], message[2:4]
        if code >> 5 == 0:
            if kind == _CON:  # a ping, or a request of the server's: this device has no resources
                self._send(bytes((0x40 | _RST << 4, 0)) + mid)
            return None
        if message[4 : 4 + (message[0] & 15)] != self._token:
            return None
        self._token = b""
        if code == 0x41:
            self.location = _location(message)
        return code

    def _send(self, message: bytes) -> None:
        self._put([message] if self._client is None else self._client.send(message, time.monotonic()))

    def _put(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            try:
                self._socket.send(datagram)
            except OSError:  # full or refused: the repetition mends it
                continue


def _option(delta: int, value: bytes) -> bytes:
    """An option whose delta is below 13."""
    if len(value) < 13:
        return bytes((delta << 4 | len(value),)) + value
    return bytes((delta << 4 | 13, len(value) - 13)) + value


def _location(message: bytes) -> bytes:
    """Location-Path (8) of an answer as the Uri-Path (11) of the next request."""
    path = b""
    for number, value in read_options(message):
        if number == 8:
            path += _option(0 if path else 11, value)
    return path


def read_options(message: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, value) of options with deltas and lengths below 269."""
    at, number = 4 + (message[0] & 15), 0
    while at < len(message) and message[at] != 0xFF:
        delta, length = message[at] >> 4, message[at] & 15
        at += 1
        if delta == 13:
            delta, at = message[at] + 13, at + 1
        if length == 13:
            length, at = message[at] + 13, at + 1
        number += delta
        yield number, message[at : at + length]
        at += length

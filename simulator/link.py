"""A device's datagram link to one server over plain UDP: one connected socket, drained on each wake-up."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable
from ipaddress import ip_address

from simulator.faults import NONE, Faults
from simulator.uris import ServerAddress

MAX_DATAGRAM = 65_535
DRAINED_AT_ONCE = 64


class LinkFailed(Exception):
    """The server cannot be reached at all: no such host, no route, no handshake."""


class Link:
    """Datagrams to one server and back.

    ``receive`` gets what arrives. While `is_deaf` is set everything that arrives is lost: the radio of
    a device in queue mode is off. Sending never fails; what cannot be sent is lost like anything in the air.
    """

    def __init__(
        self, address: ServerAddress, receive: Callable[[bytes], None], faults: Faults = NONE
    ) -> None:
        self.address = address
        self.is_deaf = False
        self._receive = receive
        self._faults = faults
        self._dice = random.Random(faults.seed)  # noqa: S311
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._resolved: tuple[int, tuple[object, ...]] | None = None

    @property
    def local_port(self) -> int | None:
        """The source port that the server sees, unless a NAT stands between."""
        return None if self._socket is None else int(self._socket.getsockname()[1])

    @property
    def is_usable(self) -> bool:
        """False before `open`, after `close`, and when a secured link has lost its session."""
        return self._socket is not None

    async def open(self) -> None:
        """Resolve the address and open the socket. Raises `LinkFailed`."""
        self._resolved = await self._resolve()
        self._open_socket()

    async def _resolve(self) -> tuple[int, tuple[object, ...]]:
        host, port = self.address.host, self.address.port
        try:
            version = ip_address(host).version
        except ValueError:
            try:
                found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            except OSError as error:
                raise LinkFailed(f"{host} cannot be resolved: {error}") from None
            return int(found[0][0]), found[0][4]
        return (socket.AF_INET6, (host, port, 0, 0)) if version == 6 else (socket.AF_INET, (host, port))

    def _open_socket(self) -> None:
        if self._resolved is None:
            raise LinkFailed("the link was never opened")
        family, peer = self._resolved
        try:
            opened = socket.socket(family, socket.SOCK_DGRAM)
        except OSError as error:
            raise LinkFailed(f"no socket for {self.address}: {error}") from None
        try:
            opened.setblocking(False)
            opened.connect(peer)
        except OSError as error:
            opened.close()
            raise LinkFailed(f"no way to {self.address}: {error}") from None
        self._socket = opened
        self._loop.add_reader(opened.fileno(), self._drain)

    def rebind(self) -> None:
        """Go on from a new source port, as a NAT does that has forgotten the old one."""
        old = self._socket
        self._open_socket()
        self._close_socket(old)

    def send(self, plaintext: bytes) -> None:
        """Send one message of the layer above."""
        self._transmit(plaintext)

    def say_goodbye(self) -> None:
        """Tell the server that the link ends; plain UDP has no word for it."""

    def close(self) -> None:
        """Leave; safe to call twice."""
        self._close_socket(self._socket)
        self._socket = None

    def _close_socket(self, leaving: socket.socket | None) -> None:
        if leaving is not None:
            self._loop.remove_reader(leaving.fileno())
            leaving.close()

    def _transmit(self, datagram: bytes) -> None:
        if self._socket is None or self._dice.random() < self._faults.drop_out:
            return
        # A full buffer, or the ICMP error of an earlier datagram: lost, retransmission will tell.
        with contextlib.suppress(OSError):
            self._socket.send(datagram)

    def _drain(self) -> None:
        for _ in range(DRAINED_AT_ONCE):
            if self._socket is None:
                return
            try:
                datagram = self._socket.recv(MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                continue  # the ICMP error of a datagram sent while the server was away
            if not self.is_deaf and self._dice.random() >= self._faults.drop_in:
                self._arrived(datagram)

    def _arrived(self, datagram: bytes) -> None:
        self._receive(datagram)

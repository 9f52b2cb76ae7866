"""How the processes that share a port pass records to the one that holds the session.

The kernel spreads datagrams over the processes by address (SO_REUSEPORT), and the spread changes when a device moves
or a process comes or goes. A record with a connection id says by its first byte whose it is; one without can only be
offered to all. Whoever gets a record passed on treats it like its own and never passes it further.

Sockets in the data directory, so only our own user can speak here; what comes is as untrusted as from the network.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from southbound.counters import Counters
from southbound.transports.coap import MAX_DATAGRAM
from southbound.transports.sockets import PER_WAKE_UP, Address

logger = logging.getLogger(__name__)

_HEAD = 256


class Neighbours:
    """The other processes on one secured port, and the door for what they pass on."""

    def __init__(
        self, number: int, plane: str, receive: Callable[[bytes, Address], None], counters: Counters
    ) -> None:
        self._folder = Path(settings.DATA_DIR) / "southbound"
        self._plane = plane
        self._name = self._name_of(number)
        self._receive = receive
        self._counters = counters
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A socket's path is limited to 107 bytes, the data directory's is not: go by a descriptor of the folder.
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        (self._folder / self._name).unlink(missing_ok=True)  # of a process that crashed
        self._socket.bind(self._path(self._name))
        self._loop = loop
        loop.add_reader(self._socket.fileno(), self._drain)

    def pass_on(self, number: int, data: bytes, address: Address) -> None:
        """Give a record to its owner; if that one is away, the device repeats itself."""
        self._send(self._name_of(number), data, address)

    def offer(self, data: bytes, address: Address) -> None:
        """Give a record to everybody else."""
        for other in self._folder.glob(f"{self._plane}-*.socket"):
            if other.name != self._name:
                self._send(other.name, data, address)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
            (self._folder / self._name).unlink(missing_ok=True)
        self._socket.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _name_of(self, number: int) -> str:
        return f"{self._plane}-{number}.socket"

    def _path(self, name: str) -> str:
        return f"/proc/self/fd/{self._descriptor}/{name}"

    def _send(self, name: str, data: bytes, address: Address) -> None:
        try:
            self._socket.sendto(json.dumps(address).encode() + b"\0" + data, self._path(name))
            self._counters.passed_on += 1
        except OSError:
            self._counters.unsent += 1

    def _drain(self) -> None:
        for _ in range(PER_WAKE_UP):
            try:
                message = self._socket.recv(MAX_DATAGRAM + _HEAD)
            except OSError:
                return
            head, _, data = message.partition(b"\0")
            try:
                host, port, *rest = json.loads(head)
            except (ValueError, TypeError):
                continue
            self._receive(data, (host, port, *rest))

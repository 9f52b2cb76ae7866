"""How the processes that share a port pass records to the one that holds the session.

The kernel spreads datagrams over the processes by address (SO_REUSEPORT), and the spread changes when a device moves
or a process comes or goes: after one restart of one of two processes, every device arrives at the other one. A record
with a connection id says by its first byte whose it is; one without can only be offered to all. Whoever gets a record
passed on treats it like its own and never passes it further.

Sockets in the data directory, so only our own user can speak here; what comes is as untrusted as from the network.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from southbound.counters import Counters
from southbound.listeners.sockets import PER_WAKE_UP, Address

logger = logging.getLogger(__name__)

_LENGTHS = struct.Struct("!HH")
PARCEL_BYTES = 32_768
"""A socket of this kind queues few messages (net.unix.max_dgram_qlen, often 10), so one carries many records."""
LOOK_SECONDS = 1.0
"""Until a process that has just started is offered something; devices repeat themselves for longer."""
WAITING_BYTES = 4 * 1024 * 1024
"""As much as may wait for a neighbour that is busy; then the devices repeat themselves."""


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
        self._ways: dict[str, _Way] = {}
        self._others: tuple[str, ...] = ()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        (self._folder / self._name).unlink(missing_ok=True)  # of a process that crashed
        self._socket.bind(self._path(self._name))
        self._loop = loop
        loop.add_reader(self._socket.fileno(), self._drain)
        self._look(loop)

    def pass_on(self, number: int, data: bytes, address: Address) -> None:
        """Give a record to its owner; if that one is away, the device repeats itself."""
        self._send(self._name_of(number), data, address)

    def offer(self, data: bytes, address: Address) -> None:
        """Give a record to everybody else."""
        for name in self._others:
            self._send(name, data, address)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Who is there: looked up now and then, as anybody can send a record that has to be offered."""
        names = (other.name for other in self._folder.glob(f"{self._plane}-*.socket"))
        self._others = tuple(sorted(name for name in names if name != self._name))
        self._timer = loop.call_later(LOOK_SECONDS, self._look, loop)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for way in self._ways.values():
            way.close()
        self._ways.clear()
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
        if self._loop is None:
            return
        way = self._ways.get(name)
        if way is None:
            way = self._ways[name] = _Way(self._loop, self._path(name), self._counters)
        way.send(pack(data, address))

    def _drain(self) -> None:
        for _ in range(PER_WAKE_UP):
            try:
                parcel = self._socket.recv(PARCEL_BYTES)
            except OSError:
                return
            for data, address in unpack(parcel):
                self._receive(data, address)


class _Way:
    """To one neighbour. What comes in one turn of the loop leaves together; what does not fit waits its turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str, counters: Counters) -> None:
        self._loop = loop
        self._path = path
        self._counters = counters
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._turn: asyncio.Handle | None = None
        self._socket: socket.socket | None = None
        self._is_blocked = False

    def send(self, record: bytes) -> None:
        if self._bytes + len(record) > WAITING_BYTES:
            self._counters.unsent += 1
            return
        self._waiting.append(record)
        self._bytes += len(record)
        if self._turn is None and not self._is_blocked:
            self._turn = self._loop.call_soon(self._flush)

    def close(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self._disconnect()

    def _flush(self) -> None:
        self._turn = None
        while self._waiting:
            count, parcel = self._parcel()
            try:
                self._connected().send(parcel)
            except BlockingIOError:
                self._wait()
                return
            except OSError:
                was_connected = self._socket is not None
                self._disconnect()
                if was_connected:  # perhaps it has been started again
                    continue
                self._counters.unsent += len(self._waiting)
                self._waiting.clear()
                self._bytes = 0
                return
            for _ in range(count):
                self._bytes -= len(self._waiting.popleft())
            self._counters.passed_on += count
        self._go_on()

    def _parcel(self) -> tuple[int, bytes]:
        chosen: list[bytes] = []
        room = PARCEL_BYTES
        for record in self._waiting:
            room -= len(record)
            if room < 0:
                break
            chosen.append(record)
        return len(chosen), b"".join(chosen)

    def _connected(self) -> socket.socket:
        """Connected, so that the event loop can tell when the other side has room."""
        if self._socket is None:
            fresh = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            try:
                fresh.connect(self._path)
            except OSError:
                fresh.close()
                raise
            self._socket = fresh
        return self._socket

    def _wait(self) -> None:
        if not self._is_blocked and self._socket is not None:
            self._is_blocked = True
            self._loop.add_writer(self._socket.fileno(), self._flush)

    def _go_on(self) -> None:
        if self._is_blocked and self._socket is not None:
            self._loop.remove_writer(self._socket.fileno())
        self._is_blocked = False

    def _disconnect(self) -> None:
        self._go_on()
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def pack(data: bytes, address: Address) -> bytes:
    """A record and where it came from, both with their lengths before them."""
    head = json.dumps(address).encode()
    return _LENGTHS.pack(len(head), len(data)) + head + data


def unpack(parcel: bytes) -> Iterator[tuple[bytes, Address]]:
    """What was packed one after the other; ends where it makes no sense."""
    at = 0
    while at + _LENGTHS.size <= len(parcel):
        head_length, length = _LENGTHS.unpack_from(parcel, at)
        at += _LENGTHS.size
        end = at + head_length + length
        try:
            host, port, *_ = json.loads(parcel[at : at + head_length])
        except (ValueError, TypeError):
            return
        if end > len(parcel) or not isinstance(host, str) or not isinstance(port, int):
            return
        yield parcel[at + head_length : end], (host, port)
        at = end

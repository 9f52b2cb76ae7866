"""UDP sockets that are drained: on each wake-up everything that is there is read, up to a bound.

asyncio's own datagram transport reads one datagram per turn of the loop, which costs a factor of three.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence

import coap
from southbound.counters import Counters

logger = logging.getLogger(__name__)

MAX_DATAGRAM = coap.Limits().message_bytes
RECEIVE_BUFFER = 8 * 1024 * 1024
PER_WAKE_UP = 64
"""About 2 ms of work; then everybody else on the loop has a turn."""

_SO_RCVBUFFORCE = 33  # Linux; needs CAP_NET_ADMIN, else SO_RCVBUF is cut to net.core.rmem_max

Address = tuple[str, int]
Receive = Callable[[bytes, Address], None]


class PortUnavailable(Exception):
    """A port cannot be listened on; says which, why and what to do."""


def bind(address: str, port: int, *, setting: str, shared: bool, stream: bool = False) -> socket.socket:
    """A non-blocking UDP socket, or TCP; `shared` lets several processes listen on the port (SO_REUSEPORT)."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        raise PortUnavailable(
            f"BIND_ADDRESS={address!r} is not an IP address. Set it to 127.0.0.1, 0.0.0.0 or ::."
        ) from None
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    bound = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, kind)
    try:
        bound.setblocking(False)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if stream:  # a port whose last connections are still being forgotten can be taken again
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _widen(bound)
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        raise PortUnavailable(
            f"{'TCP' if stream else 'UDP'} port {port} on {address} cannot be used ({error.strerror}). "
            f"Stop what uses it, or set {setting} to another port."
        ) from None
    return bound


def _widen(bound: socket.socket) -> None:
    try:
        bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except OSError:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


class DrainedSocket:
    """Hands every datagram to `receive`; what waits at the sockets `first` before its own."""

    def __init__(self, bound: socket.socket, receive: Receive, counters: Counters) -> None:
        self.first: Sequence[DrainedSocket] = ()
        self._socket = bound
        self._receive = receive
        self._counters = counters
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_v6 = bound.family == socket.AF_INET6

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def descriptor(self) -> int:
        return self._socket.fileno()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_reader(self._socket.fileno(), self.drain)

    def pause(self) -> None:
        """Read no more; sending still works."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None

    def close(self) -> None:
        self.pause()
        self._socket.close()

    def send(self, data: bytes, address: Address) -> None:
        try:
            self._socket.sendto(data, address)
        except OSError:  # a full buffer, a route that is gone: the peer repeats itself
            self._counters.unsent += 1

    def drain(self) -> None:
        """Read what is there, up to a bound; nothing while it is paused."""
        if self._loop is None:
            return
        for other in self.first:
            other.drain()
        read, receive = self._socket.recvfrom, self._receive
        for _ in range(PER_WAKE_UP):
            try:
                data, address = read(MAX_DATAGRAM + 1)
            except BlockingIOError:
                return
            except OSError:
                self._counters.unreceived += 1
                continue
            try:
                receive(data, _pair(*address) if self._is_v6 else address)
            except Exception:  # a mistake of ours: this datagram is lost, the others are not
                self._counters.broken += 1
                logger.exception("datagram_broke")


def _pair(host: str, port: int, flow: int, scope: int) -> Address:
    """An IPv6 address as it is written and stored; a link-local one means nothing without its interface."""
    return (f"{host}%{scope}" if scope else host, port)

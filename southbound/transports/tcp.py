"""CoAP over TCP (RFC 8323): connections under a lane; a peer is its connection.

Each message goes through the lane in the form that it would have over UDP, so that both lanes serve it as any other:
a request as a confirmable one, and what aiocoap would wait for an acknowledgement of is acknowledged at once, since TCP
repeats what is lost.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Hashable
from typing import cast

from southbound.counters import Counters
from southbound.transports import coap, coap_tcp
from southbound.transports.coap_tcp import Broken, Frame
from southbound.transports.lane import Lane

logger = logging.getLogger(__name__)

CSM_SECONDS = 30.0
"""A connection that has not said its capabilities by then is closed."""
MAX_CONNECTIONS = 10_000
MAX_UNSENT = 256 * 1024
"""A device that reads nothing is not waited for with more than this."""
KEEPALIVE_SECONDS = 300
"""After so long without a word TCP asks whether the other side is still there."""

Address = tuple[str, int]


class TcpListener:
    """One port without security. `on_closed` hears of every connection that ends."""

    def __init__(
        self,
        bound: socket.socket,
        *,
        counters: Counters,
        on_closed: Callable[[Lane, Hashable], None],
    ) -> None:
        self.lane: Lane | None = None
        self.counters = counters
        self._bound = bound
        self._on_closed = on_closed
        self._server: asyncio.Server | None = None
        self._connections: dict[Address, Connection] = {}

    @property
    def port(self) -> int:
        return int(self._bound.getsockname()[1])

    async def start(self, loop: asyncio.AbstractEventLoop, lane: Lane) -> None:
        self.lane = lane
        self._server = await loop.create_server(lambda: Connection(self), sock=self._bound)

    def connection_of(self, address: Address) -> Connection | None:
        return self._connections.get(address)

    def transmit(self, peer: Hashable, data: bytes) -> None:
        cast(Connection, peer).transmit(data)

    def pause(self) -> None:
        """Take no new connections, and read no more from those that stand."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections.values():
            connection.pause()

    def close(self) -> None:
        self.pause()
        for connection in list(self._connections.values()):
            connection.release()
        self._bound.close()

    # -- what connections say --------------------------------------------------------------------------------
    def opened(self, connection: Connection) -> bool:
        """Whether there is room for one more."""
        if len(self._connections) >= MAX_CONNECTIONS:
            self.counters.overloaded += 1
            return False
        self._connections[connection.address] = connection
        return True

    def closed(self, connection: Connection) -> None:
        if self._connections.pop(connection.address, None) is not None and self.lane is not None:
            self._on_closed(self.lane, connection)

    def refused(self, connection: Connection, detail: str) -> None:
        plane = "management" if self.lane is None else self.lane.plane
        self.counters.malformed += 1
        self.counters.refused(plane, "MESSAGE_MALFORMED", "", connection.address[0], detail)


class Connection(asyncio.Protocol):
    """One device's connection, as long as it lasts."""

    def __init__(self, listener: TcpListener) -> None:
        self.address: Address = ("", 0)
        self._listener = listener
        self._splitter = coap_tcp.Splitter()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._next_mid = 0

    # -- asyncio.Protocol ------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = made = cast(asyncio.Transport, transport)
        peer = made.get_extra_info("peername")
        self.address = (str(peer[0]), int(peer[1]))
        _keep_alive(made.get_extra_info("socket"))
        if not self._listener.opened(self):
            self.end("no room for more connections")
            return
        made.write(coap_tcp.csm())
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(CSM_SECONDS, self.end, "no capabilities were said")

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._splitter.feed(data):
                self._take(frame)
        except (Broken, coap.Malformed) as error:
            self._listener.refused(self, str(error))
            self.end(str(error))
        except Exception:  # a mistake of ours: this connection is lost, the others are not
            self._listener.counters.broken += 1
            logger.exception("connection_broke")
            self.end("internal error")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._listener.closed(self)
        self._transport = None

    # -- out -------------------------------------------------------------------------------------------------
    def transmit(self, data: bytes) -> None:
        """Send what has the form of a datagram."""
        frame = coap_tcp.from_datagram(data)
        if self._transport is None or frame is None:
            return
        if data[0] >> 4 & 3 == coap.CON:  # not from within aiocoap's own send
            asyncio.get_running_loop().call_soon(self._acknowledge, data[2] << 8 | data[3])
        self._write(frame.encode())

    def end(self, reason: str) -> None:
        """Say why and close."""
        self._last_word(coap_tcp.abort(reason))

    def release(self) -> None:
        """Tell the device to connect anew (RFC 8323 section 5.5)."""
        self._last_word(Frame(coap_tcp.RELEASE, b"", b"").encode())

    def pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _last_word(self, message: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(message)
            self._transport.close()

    def _write(self, message: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._listener.counters.unsent += 1
            self._transport.abort()
            return
        self._transport.write(message)

    # -- in --------------------------------------------------------------------------------------------------
    def _take(self, frame: Frame) -> None:
        if frame.code >> 5 == 7:
            self._signal(frame)
        elif frame.code == 0:
            return  # an empty message keeps the connection alive and says nothing (RFC 8323 section 3.3)
        elif self._deadline is None:
            self._deliver(frame.to_datagram(coap.CON if frame.code < 0x20 else coap.NON, self._mid()))
        else:
            raise Broken("a message before the capabilities (CSM)")

    def _signal(self, frame: Frame) -> None:
        coap_tcp.check_signal(frame)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            if frame.code != coap_tcp.CSM:
                raise Broken("the first message must be the capabilities (CSM)")
        if frame.code == coap_tcp.PING:
            self._write(Frame(coap_tcp.PONG, frame.token, b"").encode())
        elif frame.code in (coap_tcp.RELEASE, coap_tcp.ABORT) and self._transport is not None:
            self._transport.close()

    def _deliver(self, datagram: bytes) -> None:
        lane = self._listener.lane
        assert lane is not None
        lane.receive(datagram, self, self.address)

    def _acknowledge(self, mid: int) -> None:
        if self._transport is not None and self._listener.lane is not None:
            self._listener.lane.receive(coap.write_empty(coap.ACK, mid), self, self.address)

    def _mid(self) -> int:
        self._next_mid = self._next_mid + 1 & 0xFFFF
        return self._next_mid


def _keep_alive(connected: socket.socket) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS)

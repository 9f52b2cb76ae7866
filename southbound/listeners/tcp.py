"""CoAP over TCP (RFC 8323): connections under a lane; a peer is its connection.

Each message goes through the lane in the form that it would have over UDP, so that both lanes serve it as any other:
a request as a confirmable one. Nothing is acknowledged, since TCP repeats what is lost.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Hashable
from typing import cast

from coap import Malformed, Reason, stream
from coap.stream import Broken, Stream, from_datagram
from lwm2m.codes import Code
from southbound.counters import Counters
from southbound.listeners.lane import Lane
from southbound.listeners.rates import SourceRates

logger = logging.getLogger(__name__)

CSM_SECONDS = 30.0
"""A connection that has not said its capabilities by then is closed."""
FRAME_SECONDS = 30.0
"""So long a message may take from its first byte to its last."""
IDLE_SECONDS = 120.0
"""So long a connection may stand on which nothing was accepted, neither a registration nor a bootstrap."""
BOOTSTRAP_SECONDS = 300.0
"""So long it may stand after a bootstrap was begun: the session and its patience."""
LINGER_SECONDS = 5.0
"""So long a last word may take to leave."""
ANSWER_SECONDS = 30.0
"""So long a device that leaves may wait for the answers to what it asked before."""
WATCH_SECONDS = 1.0
FRAMES_PER_TURN = 64
"""Then everybody else on the loop has a turn."""
THROTTLED_SECONDS = 0.5
"""So long a connection is not read whose host has said too much."""
MAX_UNSENT = 256 * 1024
"""A device that reads nothing is not waited for with more than this."""
KEEPALIVE_SECONDS = 300
"""After so long without a word TCP asks whether the other side is still there, and ends what answers nothing."""
KEEPALIVE_PAUSE, KEEPALIVE_PROBES = 30, 4
UNACKNOWLEDGED_SECONDS = 120

Address = tuple[str, int]
_TLS = b"\x16\x03"
"""A handshake record of any version (RFC 8446 section 5.1); in CoAP a PUT before the capabilities."""
_ACCEPTED = (Code.CREATED, Code.DELETED, Code.CHANGED)
"""What only an accepted Register, De-register, Update, Send or Bootstrap-Request is answered with."""
_FIRST_RESPONSE = 0x40


class TcpListener:
    """One port without security.

    `on_lost` hears of every peer that takes no more, or not this, and why; `on_closed` of each that is gone.
    `room` is how many connections there may be, `room_per_host` how many of one address.
    """

    def __init__(
        self,
        bound: socket.socket,
        *,
        counters: Counters,
        on_lost: Callable[[Lane, Hashable, str, Reason], None],
        on_closed: Callable[[Lane, Hashable], None],
        rates: SourceRates,
        room: int,
        room_per_host: int,
    ) -> None:
        self.lane: Lane | None = None
        self.counters = counters
        self._bound = bound
        self._on_lost = on_lost
        self._on_closed = on_closed
        self.rates = rates
        self._room = room
        self._room_per_host = room_per_host
        self._server: asyncio.Server | None = None
        self._connections: dict[Address, Connection] = {}
        self._by_host: dict[str, int] = {}
        self._watch: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        return int(self._bound.getsockname()[1])

    async def start(self, loop: asyncio.AbstractEventLoop, lane: Lane) -> None:
        self.lane = lane
        self._server = await loop.create_server(lambda: Connection(self), sock=self._bound)
        self._watch = loop.call_later(WATCH_SECONDS, self._look, loop)

    def __len__(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def connection_of(self, address: Address) -> Connection | None:
        """The one that something can be sent over to the device that registered from there."""
        found = self._connections.get(address)
        return found if found is not None and found.is_registered and not found.is_leaving else None

    def transmit(self, peer: Hashable, data: bytes) -> None:
        cast(Connection, peer).transmit(data)

    def room_of(self, peer: Hashable) -> int:
        """The largest message that a device takes."""
        return cast(Connection, peer).stream.peer_size

    def pause(self) -> None:
        """Take no new connections, and read no more from those that stand."""
        if self._watch is not None:
            self._watch.cancel()
        if self._server is not None:
            self._server.close()
        for connection in self._connections.values():
            connection.pause()

    def close(self) -> None:
        self.pause()
        for connection in list(self._connections.values()):
            connection.release()
        self._bound.close()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the connections whose time is over."""
        now = loop.time()
        for connection in list(self._connections.values()):
            connection.look(now)
        self._watch = loop.call_later(WATCH_SECONDS, self._look, loop)

    # -- what connections say --------------------------------------------------------------------------------
    def opened(self, connection: Connection) -> bool:
        """Whether there is room for one more."""
        host = connection.address[0]
        count = self._by_host.get(host, 0)
        if len(self._connections) >= self._room or count >= self._room_per_host:
            self.counters.overloaded += 1
            return False
        self._connections[connection.address] = connection
        self._by_host[host] = count + 1
        return True

    def closed(self, connection: Connection) -> None:
        if self._connections.get(connection.address) is not connection:
            return
        del self._connections[connection.address]
        host = connection.address[0]
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]
        if self.lane is not None:
            self._on_closed(self.lane, connection)

    def lost(self, connection: Connection, why: str, reason: Reason = Reason.GONE) -> None:
        if self.lane is not None:
            self._on_lost(self.lane, connection, why, reason)

    def idle_seconds(self, last_accepted: Code | None) -> float | None:
        """How long a connection may stand, by what was accepted on it last; None for as long as TCP holds it."""
        if last_accepted is None or last_accepted == Code.DELETED:
            return IDLE_SECONDS
        is_bootstrap = self.lane is not None and self.lane.plane == "bootstrap"
        return BOOTSTRAP_SECONDS if is_bootstrap else None

    def refused(self, connection: Connection, detail: str, cause: str = "MESSAGE_MALFORMED") -> None:
        plane = "management" if self.lane is None else self.lane.plane
        self.counters.malformed += 1
        self.counters.refused(plane, cause, "", connection.address[0], detail)


class Connection(asyncio.Protocol):
    """One device's connection, as long as it lasts."""

    def __init__(self, listener: TcpListener) -> None:
        self.address: Address = ("", 0)
        self.stream = Stream()
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._is_first = True
        self._is_paused = False
        self._turn: asyncio.Handle | None = None
        self._began_at = 0.0
        self._accepted: Code | None = None
        self._frame_at: float | None = None
        self._ended_at: float | None = None
        self._unanswered = 0
        self._left_at: float | None = None

    @property
    def is_registered(self) -> bool:
        """Whether its device registered or updated on it. Another one may have stood at its address before."""
        return self._accepted is not None and self._accepted != Code.DELETED

    @property
    def is_leaving(self) -> bool:
        """The device says nothing more, and waits only for the answers to what it asked before."""
        return self._left_at is not None

    # -- asyncio.Protocol ------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = made = cast(asyncio.Transport, transport)
        peer = made.get_extra_info("peername")
        self.address = (str(peer[0]), int(peer[1]))
        self._began_at = _now()
        _keep_alive(made.get_extra_info("socket"))
        if not self._listener.opened(self):
            made.write(stream.abort("no room for more connections"))
            made.close()  # an empty buffer: it leaves at once, or with the connection
            return
        made.write(self.stream.opening())

    def data_received(self, data: bytes) -> None:
        if self._ended_at is not None:
            return
        if self._is_first and data[:2] == _TLS:
            self._listener.refused(self, "The first bytes are those of TLS.", "TLS_UNSUPPORTED")
            self.end("no TLS here")
            return
        self._is_first = False
        self.stream.add(data)
        if self._turn is None:
            self._work()

    def eof_received(self) -> bool:
        """The device's half is closed; true while the other half is still needed."""
        if self._ended_at is None:
            self._leave()
        return self._ended_at is None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._turn is not None:
            self._turn.cancel()
        self._transport = None
        self._listener.closed(self)

    def _work(self) -> None:
        """Take what came, so many messages at a time."""
        self._turn = None
        try:
            for _ in range(FRAMES_PER_TURN):
                message = self.stream.take()
                if message is None or self._ended_at is not None:
                    self._rest()
                    return
                self._take(message)
                if not self._listener.rates.allows(self.address[0]):
                    self._listener.counters.throttled += 1
                    self._pause_for(THROTTLED_SECONDS)
                    return
        except (Broken, Malformed) as error:
            self._listener.refused(self, str(error))
            self.end(str(error))
            return
        except Exception:  # a mistake of ours: this connection is lost, the others are not
            self._listener.counters.broken += 1
            logger.exception("connection_broke")
            self.end("internal error")
            return
        self._pause_for(0.0)

    def _pause_for(self, seconds: float) -> None:
        """Go on later; what more comes waits at the device meanwhile."""
        if self._transport is not None:
            self._transport.pause_reading()
            self._turn = asyncio.get_running_loop().call_later(seconds, self._work)

    def _rest(self) -> None:
        """Everything that is whole was taken."""
        if self.is_leaving:
            self._close_when_answered()
            return
        if not self.stream.is_within:
            self._frame_at = None
        elif self._frame_at is None:
            self._frame_at = _now()
        if self._transport is not None and not self._is_paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def look(self, now: float) -> None:
        """End it if its time is over."""
        if self._ended_at is not None:
            if now - self._ended_at > LINGER_SECONDS and self._transport is not None:
                self._transport.abort()
            return
        if self._left_at is not None:
            if now - self._left_at > ANSWER_SECONDS:
                self._close()
            return
        idle = self._listener.idle_seconds(self._accepted)
        if not self.stream.is_introduced and now - self._began_at > CSM_SECONDS:
            self.end("no capabilities were said")
        elif self._frame_at is not None and now - self._frame_at > FRAME_SECONDS:
            self.end("a message was begun and not ended")
        elif idle is not None and now - self._began_at > idle:
            self.end("nothing was registered")

    # -- out -------------------------------------------------------------------------------------------------
    def transmit(self, data: bytes) -> None:
        """Send what has the form of a datagram."""
        frame = from_datagram(data)
        if self._transport is None or frame is None:
            return
        message = frame.encode()
        if len(message) > self.stream.peer_size:
            self._too_large(len(message))
        else:
            if frame.code in _ACCEPTED:
                self._accepted, self._began_at = Code(frame.code), _now()
            self._write(message)
        if frame.code >= _FIRST_RESPONSE:
            self._unanswered -= 1
            self._close_when_answered()

    def _too_large(self, size: int) -> None:
        """The device said that it takes no message of this size (RFC 8323 section 5.3.1)."""
        self._listener.counters.unsent += 1
        why = f"The message has {size} bytes, and the device takes at most {self.stream.peer_size}."
        asyncio.get_running_loop().call_soon(self._listener.lost, self, why, Reason.TOO_LARGE)

    def end(self, reason: str) -> None:
        """Say why and close."""
        self._last_word(stream.abort(reason))

    def release(self) -> None:
        """Tell the device to connect anew (RFC 8323 section 5.5)."""
        self._last_word(stream.release())

    def pause(self) -> None:
        self._is_paused = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _leave(self) -> None:
        """Close it once all that the device asked is answered (RFC 8323 section 5.5); nothing is asked of it now."""
        if self._left_at is None:
            self._left_at = _now()
            self._listener.lost(self, "the device ended the TCP connection")
        self._close_when_answered()

    def _close_when_answered(self) -> None:
        if self.is_leaving and not self._unanswered and self._turn is None:
            self._close()

    def _close(self) -> None:
        if self._transport is not None and self._ended_at is None:
            self._ended_at = _now()
            self._transport.close()

    def _last_word(self, message: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._ended_at = _now()
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
    def _take(self, message: bytes) -> None:
        """A message, or what is left to do after a signal."""
        if message:
            self._deliver(message)
            return
        for said in self.stream.take_sent():
            self._write(said)
        if self.stream.is_aborted:
            self._close()
        elif self.stream.is_released:
            self._leave()

    def _deliver(self, datagram: bytes) -> None:
        lane = self._listener.lane
        assert lane is not None
        self._unanswered += 0 < datagram[1] < 0x20
        lane.receive(datagram, self, self.address)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _keep_alive(connected: socket.socket) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_NODELAY", 1),
        ("TCP_KEEPIDLE", KEEPALIVE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_PAUSE),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_SECONDS * 1000),
    ):
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

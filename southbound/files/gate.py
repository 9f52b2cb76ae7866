"""The port of the file server: who may ask how much, and a socket on loopback for each peer that asks.

aiocoap forgets nothing for minutes, so that it gets only what is worth it: requests that can be read, within the rates
of the ports without security, and mostly those for an address that we gave out. Everything else has a small room of its
own, in which it is told 4.04 or 4.05; what is over leaves no trace but a number.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum

from coap.codes import GET
from coap.errors import Malformed
from coap.message import ACK, CON, RST, Response
from coap.options import LOCATION_PATH, URI_HOST, walk
from coap.requests import Asked, Unacceptable, read_request
from devices.packages.services import addresses
from southbound.counters import Counters
from southbound.files.generation import HOST
from southbound.listeners.rates import SourceRates
from southbound.listeners.sockets import Address, DrainedSocket

PEERS = 256
"""Who asks at the same time; each has a descriptor. The one that was silent longest gives way."""
STRANGERS_A_SECOND = 20
"""Requests in all for what we never gave out, which are answered with an error."""
MAX_REQUEST = 1_280
DRAINED_AT_ONCE = 16
WINDOW_SECONDS = 1.0
LOCATION_QUERY = 20
_TEXTS = frozenset({URI_HOST, LOCATION_PATH, LOCATION_QUERY})
"""Nobody reads them in a request, but aiocoap's codec breaks where they are no UTF-8."""


class Judgement(Enum):
    """`OURS` is a GET of an address that we gave out, `STRANGE` any other request."""

    OURS = "ours"
    STRANGE = "strange"
    IGNORED = "ignored"


class Gate:
    """`port_of` says where the present generation listens, or None while there is none."""

    def __init__(
        self,
        bound: socket.socket,
        *,
        counters: Counters,
        rates: SourceRates,
        port_of: Callable[[], int | None],
        forwarded: Callable[[], None],
        per_second: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._socket = DrainedSocket(bound, self._receive, counters)
        self._counters = counters
        self._rates = rates
        self._port_of = port_of
        self._forwarded = forwarded
        self._room = _Room(clock, per_second)
        self._strangers = _Room(clock, STRANGERS_A_SECOND)
        self._peers: OrderedDict[Address, _Peer] = OrderedDict()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        """How many peers have a socket."""
        return len(self._peers)

    @property
    def port(self) -> int:
        return self._socket.port

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._socket.start(loop)

    def pause(self) -> None:
        self._socket.pause()

    def close(self) -> None:
        self.leave()()
        self._socket.close()

    def leave(self) -> Callable[[], None]:
        """Every peer gets a new socket with its next request; the old ones stay until the returned is called."""
        left, self._peers = self._peers, OrderedDict()

        def close() -> None:
            for peer in left.values():
                peer.close()

        return close

    def _receive(self, data: bytes, address: Address) -> None:
        if not self._rates.allows(address[0]):
            self._counters.throttled += 1
            return
        if is_acknowledgement(data):
            asking = self._peers.get(address)
            if asking is not None:
                asking.acknowledge(data)
            return
        judgement = judged(data)
        if judgement is Judgement.IGNORED:
            self._counters.malformed += 1
            return
        if not (self._room if judgement is Judgement.OURS else self._strangers).takes_one():
            self._counters.throttled += 1
            return
        if isinstance(judgement, int):
            token = data[4 : 4 + (data[0] & 15)]
            self._socket.send(Response(judgement).encode(ACK, data[2] << 8 | data[3], token), address)
            return
        peer = self._peers.get(address) or self._met(address)
        if peer is None:
            self._counters.unsent += 1
            return
        self._peers.move_to_end(address)
        peer.forward(data)
        self._forwarded()

    def _met(self, address: Address) -> _Peer | None:
        port = self._port_of()
        if port is None or self._loop is None:
            return None
        while len(self._peers) >= PEERS:
            self._peers.popitem(last=False)[1].close()
        try:
            peer = _Peer(self._loop, port, lambda data: self._socket.send(data, address))
        except OSError:  # no descriptor is left; the device asks again
            return None
        self._peers[address] = peer
        return peer


class _Peer:
    """One who asks, as aiocoap sees it: a port on loopback."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int, answered: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._answered = answered
        self._unacknowledged = b""
        """The id of the last message that wants an acknowledgement: an answer that took aiocoap a while."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect((HOST, port))
        except OSError:
            self._socket.close()
            raise
        loop.add_reader(self._socket.fileno(), self._drain)

    def forward(self, data: bytes) -> None:
        with contextlib.suppress(
            OSError
        ):  # a full buffer, or a generation that has just ended: it is asked again
            self._socket.send(data)

    def acknowledge(self, data: bytes) -> None:
        """An empty ACK or RST. Without it aiocoap repeats the answer, and holds the next ones back (NSTART=1)."""
        if data[2:4] == self._unacknowledged:
            self._unacknowledged = b""
            self.forward(data)

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _drain(self) -> None:
        for _ in range(DRAINED_AT_ONCE):
            try:
                data = self._socket.recv(2 * MAX_REQUEST)
            except OSError:
                return
            if data[0] >> 4 & 3 == CON:
                self._unacknowledged = data[2:4]
            self._answered(data)


class _Room:
    """So many in a second, whoever they are of."""

    def __init__(self, clock: Callable[[], float], per_second: int) -> None:
        self._clock = clock
        self._per_second = per_second
        self._taken = 0
        self._ends_at = clock() + WINDOW_SECONDS

    def takes_one(self) -> bool:
        now = self._clock()
        if now >= self._ends_at:
            self._taken, self._ends_at = 0, now + WINDOW_SECONDS
        if self._taken >= self._per_second:
            return False
        self._taken += 1
        return True


def is_acknowledgement(data: bytes) -> bool:
    """Whether it is an empty ACK or RST, as an answer that is a message of its own gets it (RFC 7252 section 5.2.2)."""
    return len(data) == 4 and data[0] in (0x40 | ACK << 4, 0x40 | RST << 4) and data[1] == 0


def judged(data: bytes) -> Judgement | int:
    """What to do with a datagram, or the code with which it is refused (RFC 7252 section 5.4.1).

    What is no request, or cannot be read, is ignored (section 4.2), and so is one that wants no acknowledgement and has
    to be refused.
    """
    if not 4 <= len(data) <= MAX_REQUEST or data[0] >> 6 != 1 or data[0] >> 5 & 1 or not 0 < data[1] < 0x20:
        return Judgement.IGNORED
    start = 4 + (data[0] & 15)
    if start > 12 or len(data) < start:
        return Judgement.IGNORED
    is_confirmable = data[0] >> 4 & 3 == CON
    asked = Asked(None, data[1], is_confirmable, data[2] << 8 | data[3], data[4:start], data)
    try:
        read_request(asked, start)
        for number, value in walk(data, start)[0]:
            if number in _TEXTS:
                value.decode()
    except (Malformed, UnicodeDecodeError):
        return Judgement.IGNORED
    except Unacceptable as error:
        return error.code if is_confirmable else Judgement.IGNORED
    is_ours = asked.code == GET and addresses.read(asked.path) is not None
    return Judgement.OURS if is_ours else Judgement.STRANGE

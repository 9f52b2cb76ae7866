"""A network with a clock of its own between one server and many clients; it loses, repeats and reorders."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from itertools import count

from dtls import Client, Closed, Established, Event, KeyWanted, Received, Refused, Server, Session, Transmit

KEY = bytes(range(16))
ADDRESS = ("192.0.2.1", 5000)
DELAY = 0.02

Address = tuple[str | int, ...]


class Network:
    """Run it until nothing moves, or until a time."""

    def __init__(
        self,
        server: Server,
        keys: dict[bytes, bytes] | None = None,
        *,
        loss: float = 0.0,
        repeat: float = 0.0,
        jitter: float = 0.0,
        key_delay: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.server = server
        self.keys = keys or {}
        self.loss, self.repeat, self.jitter, self.key_delay = loss, repeat, jitter, key_delay
        self.now = 1000.0
        self.clients: dict[Address, Client] = {}
        self.server_events: list[Event] = []
        self.client_events: dict[Address, list[Event]] = {}
        self.on_wire: list[tuple[str, Address, bytes]] = []
        self._dice = random.Random(seed)
        self._order = count()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []

    def attach(self, client: Client, address: Address = ADDRESS) -> Client:
        """Put a client at an address; a second time moves it."""
        self.clients = {at: other for at, other in self.clients.items() if other is not client}
        self.clients[address] = client
        self.client_events.setdefault(address, [])
        return client

    def start(self, client: Client, address: Address = ADDRESS) -> None:
        """Attach a client and begin its handshake."""
        self.attach(client, address)
        for datagram in client.start(self.now):
            self.to_server(datagram, address)

    def to_server(self, datagram: bytes, address: Address = ADDRESS) -> None:
        """A datagram on its way up."""
        self.on_wire.append(("up", address, datagram))
        self._carry(lambda: self._at_server(self.server.receive(datagram, address, self.now)))

    def to_client(self, datagram: bytes, address: Address) -> None:
        """A datagram on its way down."""
        self.on_wire.append(("down", address, datagram))
        self._carry(lambda: self._at_client(address, datagram))

    def run(self, seconds: float = 5.0) -> None:
        """Let time pass, timers included."""
        end = self.now + seconds
        while True:
            when = self._next()
            if when is None or when > end:
                break
            self.now = max(self.now, when)
            while self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
            self._tick()
        self.now = end

    def send(self, plaintext: bytes, address: Address = ADDRESS) -> None:
        """Application data from a client."""
        for datagram in self.clients[address].send(plaintext, self.now):
            self.to_server(datagram, address)

    def answer(self, session: Session, plaintext: bytes) -> None:
        """Application data from the server."""
        for event in self.server.send(session, plaintext, self.now):
            assert event.address is not None
            self.to_client(event.datagram, event.address)

    def sessions(self) -> list[Session]:
        """Those the server has reported."""
        return [event.session for event in self.server_events if isinstance(event, Established)]

    def received(self) -> list[bytes]:
        """What the server got."""
        return [event.plaintext for event in self.server_events if isinstance(event, Received)]

    def client_received(self, address: Address = ADDRESS) -> list[bytes]:
        """What a client got."""
        return [event.plaintext for event in self.client_events[address] if isinstance(event, Received)]

    def refused(self) -> list[Refused]:
        """What the server refused."""
        return [event for event in self.server_events if isinstance(event, Refused)]

    def closed(self) -> list[Closed]:
        """What the server closed."""
        return [event for event in self.server_events if isinstance(event, Closed)]

    def handle(self, events: list[Event]) -> None:
        """Do what the server's events ask, for events that a test got by calling the server itself."""
        self._at_server(events)

    def _at_server(self, events: list[Event]) -> None:
        for event in events:
            self.server_events.append(event)
            if isinstance(event, Transmit):
                assert event.address is not None
                self.to_client(event.datagram, event.address)
            elif isinstance(event, KeyWanted):
                number, key = event.handshake, self.keys.get(event.identity)
                self._at(
                    self.now + self.key_delay,
                    lambda number=number, key=key: self._at_server(
                        self.server.provide_key(number, key, self.now)
                    ),
                )

    def _at_client(self, address: Address, datagram: bytes) -> None:
        if address in self.clients:
            self._from_client(address, self.clients[address].receive(datagram, self.now))

    def _from_client(self, address: Address, events: list[Event]) -> None:
        for event in events:
            self.client_events[address].append(event)
            if isinstance(event, Transmit):
                self.to_server(event.datagram, address)

    def _carry(self, arrive: Callable[[], None]) -> None:
        times = 2 if self._dice.random() < self.repeat else 1
        for _ in range(times):
            if self._dice.random() >= self.loss:
                self._at(self.now + DELAY + self._dice.random() * self.jitter, arrive)

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (when, next(self._order), what))

    def _next(self) -> float | None:
        due = [client.next_deadline() for client in self.clients.values()]
        due += [self.server.next_deadline(), self._queue[0][0] if self._queue else None]
        return min((when for when in due if when is not None), default=None)

    def _tick(self) -> None:
        self._at_server(self.server.tick(self.now))
        for address, client in list(self.clients.items()):
            self._from_client(address, client.tick(self.now))


def established(
    server: Server, client: Client, address: Address = ADDRESS, key: bytes = KEY
) -> tuple[Network, Session]:
    """A network on which this client has just completed a handshake."""
    network = Network(server, {b"device-1": key})
    network.start(client, address)
    network.run(1.0)
    assert client.is_established
    return network, network.sessions()[-1]

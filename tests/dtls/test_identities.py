"""Sessions of one identity: at most two, the newer one wins when it is used, and nobody else pays for them."""

from __future__ import annotations

import pytest

from dtls import Client, Server, ServerConfig
from dtls.backends import Backend
from tests.dtls.network import KEY, Network


def host(number: int) -> tuple[str, int]:
    return ("192.0.2.1", number)


def shake(network: Network, identity: bytes, port: int, backend: Backend, cid: bytes | None = None) -> None:
    network.start(Client(identity, KEY, cid=cid, backend=backend), host(port))
    network.run(1.0)


def test_one_identity_that_shakes_hands_again_and_again_evicts_only_itself(backend: Backend) -> None:
    names = [b"device-%d" % number for number in range(40)]
    config = ServerConfig(max_sessions=50, max_half_open_per_host=1000)
    server = Server(config, backend=backend)
    network = Network(server, dict.fromkeys([*names, b"insider"], KEY))
    for port, name in enumerate(names):
        shake(network, name, 5000 + port, backend)
    for port in range(50):
        shake(network, b"insider", 6000 + port, backend)
    assert [s.identity for s in server.sessions if s.identity != b"insider"] == names
    assert sum(s.identity == b"insider" for s in server.sessions) == 2
    assert (server.statistics.evicted, server.statistics.surplus) == (0, 48)
    assert {closed.session.identity for closed in network.closed()} == {b"insider"}


@pytest.mark.parametrize("cid", [None, b"c"])
def test_the_older_one_ends_when_the_newer_one_carries_data_and_not_before(
    backend: Backend, cid: bytes | None
) -> None:
    server = Server(ServerConfig(), backend=backend)
    network = Network(server, {b"device-1": KEY})
    shake(network, b"device-1", 1, backend, cid)
    network.send(b"first", host(1))
    network.run(1.0)
    shake(network, b"device-1", 2, backend, cid)
    old, new = server.sessions
    network.send(b"still here", host(1))
    network.run(1.0)
    assert server.sessions == [old, new]  # the new one may never reach its device
    network.send(b"moved", host(2))
    network.run(1.0)
    assert server.sessions == [new]
    assert [(c.session, c.reason) for c in network.closed()] == [(old, "replaced")]
    assert network.received() == [b"first", b"still here", b"moved"]


def test_of_three_the_one_that_was_idle_longest_makes_room(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    network = Network(server, {b"device-1": KEY})
    shake(network, b"device-1", 1, backend)
    shake(network, b"device-1", 2, backend)
    network.run(10.0)
    shake(network, b"device-1", 3, backend)
    assert [s.address for s in server.sessions] == [host(2), host(3)]


def test_a_session_keeps_the_number_of_its_key_over_a_restart(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    client = Client(b"device-1", KEY, backend=backend)
    network = Network(server)
    _answer_with(network, 4711)
    network.start(client)
    network.run(1.0)
    (session,) = server.sessions
    assert session.key_id == 4711
    (again,) = Server(ServerConfig(), backend=backend).import_sessions(server.export_sessions(1.0), 1.0)
    assert (again.key_id, again.is_proved) == (4711, False)
    network.send(b"x")
    network.run(1.0)
    (again,) = Server(ServerConfig(), backend=backend).import_sessions(server.export_sessions(1.0), 1.0)
    assert (again.key_id, again.is_proved) == (4711, True)


def _answer_with(network: Network, key_id: int) -> None:
    provide = network.server.provide_key
    network.server.provide_key = lambda number, _, now: provide(number, KEY, now, key_id=key_id)

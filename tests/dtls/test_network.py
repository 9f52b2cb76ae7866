"""What networks do: loss, reordering, repetition, replay, other addresses."""

from __future__ import annotations

import random

import pytest

from dtls import Client, Moved, Received, Server, ServerConfig
from dtls.backends import Backend
from tests.dtls.network import ADDRESS, KEY, Network, established

ELSEWHERE = ("198.51.100.9", 6000)


@pytest.mark.parametrize("cid", [None, b"", b"cid"], ids=["no cid", "empty cid", "cid"])
def test_12_percent_loss_each_way_costs_time_but_no_handshake(backend: Backend, cid: bytes | None) -> None:
    # 150 for each CID and backend: 900 in all.
    server = Server(ServerConfig(max_half_open=200), backend=backend)
    identities = [b"device-%d" % number for number in range(150)]
    network = Network(server, dict.fromkeys(identities, KEY), loss=0.12, repeat=0.02, jitter=0.05, seed=12)
    clients = [
        Client(identity, KEY, ("PSK-AES128-CCM8",), cid, backend=backend, handshake_timeout=120.0)
        for identity in identities
    ]
    for number, client in enumerate(clients):
        network.start(client, ("192.0.2.1", number))
    network.run(120.0)
    assert all(client.is_established for client in clients)
    assert {session.identity for session in network.sessions()} == set(identities)
    network.loss = 0.0
    for number in range(len(clients)):
        network.send(b"hello", ("192.0.2.1", number))
    network.run(1.0)
    assert network.received().count(b"hello") >= len(clients)


@pytest.mark.parametrize("lost", range(1, 12))
@pytest.mark.parametrize("cid", [None, b"cid"])
def test_any_one_datagram_may_be_lost(backend: Backend, lost: int, cid: bytes | None) -> None:
    server = Server(ServerConfig(), backend=backend)
    client = Client(b"device-1", KEY, cid=cid, backend=backend)
    network = Network(server, {b"device-1": KEY})
    carried = 0
    carry = network._carry

    def losing(arrive) -> None:
        nonlocal carried
        carried += 1
        if carried != lost:
            carry(arrive)

    network._carry = losing  # type: ignore[method-assign]
    network.start(client)
    network.run(20.0)
    assert client.is_established
    network._carry = carry  # type: ignore[method-assign]
    network.send(b"data")
    network.run(1.0)
    assert network.received() == [b"data"]


def test_flights_in_single_records_and_any_order(backend: Backend) -> None:
    # Each record in a datagram of its own, and wild reordering: the Finished may come first.
    for seed in range(30):
        server = Server(ServerConfig(), backend=backend)
        client = Client(b"device-1", KEY, cid=b"x" if seed % 2 else None, backend=backend)
        network = Network(server, {b"device-1": KEY}, repeat=0.3, jitter=0.5, key_delay=0.3, seed=seed)
        up, down = network.to_server, network.to_client

        def split_up(datagram: bytes, address=ADDRESS, up=up) -> None:
            for part in one_by_one(datagram, 8):
                up(part, address)

        def split_down(datagram: bytes, address, down=down, seed=seed) -> None:
            for part in one_by_one(datagram, seed % 2):
                down(part, address)

        network.to_server, network.to_client = split_up, split_down  # type: ignore[method-assign]
        network.start(client)
        network.run(60.0)
        assert client.is_established, seed
        assert len(network.sessions()) == 1


def one_by_one(datagram: bytes, cid_length: int) -> list[bytes]:
    parts = []
    while datagram:
        body = 13 + (cid_length if datagram[0] == 25 else 0)
        end = body + int.from_bytes(datagram[body - 2 : body], "big")
        parts.append(datagram[:end])
        datagram = datagram[end:]
    return parts


@pytest.mark.parametrize("cid", [None, b""])
def test_data_in_any_order_and_twice_arrives_once(backend: Backend, cid: bytes | None) -> None:
    server, client = (
        Server(ServerConfig(), backend=backend),
        Client(b"device-1", KEY, cid=cid, backend=backend),
    )
    network, _session = established(server, client)
    texts = [b"%d" % number for number in range(40)]
    datagrams = [client.send(text, network.now)[0] for text in texts] * 3
    random.Random(4).shuffle(datagrams)
    for datagram in datagrams:
        network.handle(server.receive(datagram, ADDRESS, network.now))
    assert sorted(network.received()) == sorted(texts)
    assert server.statistics.replays == 80


def test_the_window_is_64_wide(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    network, _session = established(server, client)
    datagrams = [client.send(b"%d" % number, 0.0)[0] for number in range(80)]
    network.handle(server.receive(datagrams[79], ADDRESS, 0.0))
    for datagram in datagrams[:79]:
        network.handle(server.receive(datagram, ADDRESS, 0.0))
    assert network.received() == [b"79", *(b"%d" % number for number in range(16, 79))]


def test_with_a_cid_the_next_datagram_from_elsewhere_is_answered_there(backend: Backend) -> None:
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    server = Server(ServerConfig(), backend=backend)
    network, session = established(server, client)
    network.attach(client, ELSEWHERE)
    network.send(b"hello", ELSEWHERE)
    network.run(1.0)
    moved, received = network.server_events[-2:]
    assert moved == Moved(session, ADDRESS, ELSEWHERE)
    assert received == Received(session, b"hello", ELSEWHERE)
    network.answer(session, b"welcome")
    network.run(1.0)
    assert network.client_received(ELSEWHERE) == [b"welcome"]
    assert server.statistics.moves == 1


def test_neither_replays_nor_old_nor_forged_records_move_a_peer(backend: Backend) -> None:
    # RFC 9146 section 6: only a record that is authentic and newer than every other.
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    server = Server(ServerConfig(), backend=backend)
    network, session = established(server, client)
    held_back = client.send(b"held back", network.now)[0]
    seen = client.send(b"seen", network.now)[0]
    network.handle(server.receive(seen, ADDRESS, network.now))
    assert server.receive(seen, ELSEWHERE, network.now) == []
    newest = client.send(b"on its way", network.now)[0]
    forged = newest[:-1] + bytes([newest[-1] ^ 1])
    assert server.receive(forged, ELSEWHERE, network.now) == []
    # Older than the newest but never seen: delivered, and still no move.
    assert server.receive(held_back, ELSEWHERE, network.now) == [Received(session, b"held back", ELSEWHERE)]
    assert session.address == ADDRESS


def test_without_a_cid_another_address_is_nobody(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    network, session = established(server, client)
    assert server.receive(client.send(b"x", 0.0)[0], ELSEWHERE, network.now) == []
    assert (server.statistics.unknown_address, session.address) == (1, ADDRESS)


def test_a_record_without_the_cid_that_was_agreed_is_invalid(backend: Backend) -> None:
    # RFC 9146 section 3.
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    server = Server(ServerConfig(), backend=backend)
    network, session = established(server, client)
    security = session.security
    record = security.sealer_of(False, b"", lambda size: bytes(size)).seal(23, b"x", 99)
    assert server.receive(record, ADDRESS, network.now) == []
    assert session.top < 99


def test_a_lost_last_flight_is_sent_again_when_the_client_repeats_its_own(backend: Backend) -> None:
    for cid in (None, b"", b"c"):
        server = Server(ServerConfig(), backend=backend)
        client = Client(b"device-1", KEY, cid=cid, backend=backend)
        network = Network(server, {b"device-1": KEY})
        network.start(client)
        deliver, network._at_client = network._at_client, lambda address, datagram: None  # type: ignore[method-assign]
        while not network.sessions():
            network._at_client = deliver  # type: ignore[method-assign]
            network.run(0.019)
        network._at_client = lambda address, datagram: None  # type: ignore[method-assign]
        network.run(0.5)
        assert not client.is_established
        # An identical repetition (some clients do that) is answered too.
        finished = [datagram for way, _, datagram in network.on_wire if way == "up"][-1]
        answer = server.receive(finished, ADDRESS, network.now)
        assert len(answer) == 1
        network._at_client = deliver  # type: ignore[method-assign]
        network.run(10.0)
        assert client.is_established, cid
        network.send(b"data")
        network.run(1.0)
        assert network.sessions()[0].last_flight is None


def test_the_last_flight_is_sent_so_often_and_no_more(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    network, _ = established(server, client)
    finished = [datagram for way, _, datagram in network.on_wire if way == "up"][-1]
    answers = [server.receive(finished, ADDRESS, network.now) for _ in range(50)]
    assert sum(map(len, answers)) == 16

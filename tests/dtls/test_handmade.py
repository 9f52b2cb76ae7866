"""A client made by hand against the server: odd identities, fragments, and what must not pass."""

from __future__ import annotations

import random

import pytest

from dtls import Established, Event, KeyWanted, Received, Refused, Server, ServerConfig, Transmit
from dtls.backends import Backend
from tests.dtls.handmade import Handmade, message, pieces, record
from tests.dtls.network import ADDRESS, KEY

CHANGE = b"\x01"


def greet(server: Server, client: Handmade) -> None:
    """Up to the server's flight."""
    (verify,) = server.receive(record(22, 0, client.hello()), ADDRESS, 0.0)
    assert isinstance(verify, Transmit)
    second = client.hello(client.cookie_in(verify.datagram), 1)
    (flight,) = server.receive(record(22, 1, second), ADDRESS, 0.0)
    assert isinstance(flight, Transmit)
    client.flight_in(flight.datagram)


def run(server: Server, datagrams: list[bytes], keys: dict[bytes, bytes]) -> list[Event]:
    seen: list[Event] = []
    todo: list[Event] = []
    for datagram in datagrams:
        todo += server.receive(datagram, ADDRESS, 0.0)
        while todo:
            event = todo.pop(0)
            seen.append(event)
            if isinstance(event, KeyWanted):
                todo += server.provide_key(event.handshake, keys.get(event.identity), 0.0)
    return seen


@pytest.mark.parametrize("identity", [b"device-1", b"a\0b", b"\0", b"\xff" * 128])
@pytest.mark.parametrize("key", [KEY, b"k" * 64], ids=len)
def test_a_client_from_the_rfcs(backend: Backend, identity: bytes, key: bytes) -> None:
    server, client = Server(ServerConfig(), backend=backend), Handmade(identity, key)
    greet(server, client)
    exchange = record(22, 2, client.key_exchange())
    finished = client.finished()
    datagram = exchange + record(20, 3, CHANGE) + client.seal(22, finished, 0)
    wanted, answer, established = run(server, [datagram], {identity: key})
    assert isinstance(wanted, KeyWanted)
    assert isinstance(answer, Transmit)
    assert isinstance(established, Established)
    assert (wanted.identity, established.session.identity) == (identity, identity)
    # ChangeCipherSpec, then the server's Finished over everything that was said.
    client.transcript += finished
    assert answer.datagram[0] == 20
    assert client.open(answer.datagram[14:]) == client.finished(3, b"server finished")
    (received,) = server.receive(client.seal(23, b"data", 1), ADDRESS, 0.0)
    assert received == Received(established.session, b"data", ADDRESS)


def test_fragments_in_any_order_and_overlapping(backend: Backend) -> None:
    identity = b"a rather long identity of a device"
    for seed in range(20):
        server, client = Server(ServerConfig(), backend=backend), Handmade(identity, KEY)
        greet(server, client)
        whole = client.key_exchange()
        parts = pieces(whole, 5) + pieces(whole, 7)
        records = [record(22, 2 + number, part) for number, part in enumerate(parts)]
        records.append(client.seal(22, client.finished(), 0))
        random.Random(seed).shuffle(records)
        seen = run(server, records, {identity: KEY})
        assert sum(isinstance(event, Established) for event in seen) == 1
        assert sum(isinstance(event, KeyWanted) for event in seen) == 1


def test_a_finished_over_another_transcript_is_refused(backend: Backend) -> None:
    # Somebody changed a message on its way: the keys agree, what was said does not.
    server, client = Server(ServerConfig(), backend=backend), Handmade(b"device-1", KEY)
    greet(server, client)
    exchange = record(22, 2, client.key_exchange())
    client.transcript = client.transcript.replace(b"device-1", b"device-2")
    datagram = exchange + record(20, 3, CHANGE) + client.seal(22, client.finished(), 0)
    seen = run(server, [datagram], {b"device-1": KEY})
    assert [event.cause for event in seen if isinstance(event, Refused)] == ["DTLS_HANDSHAKE_FAILED"]
    assert not any(isinstance(event, Established) for event in seen)


def test_a_finished_without_protection_is_nothing(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Handmade(b"device-1", KEY)
    greet(server, client)
    exchange = record(22, 2, client.key_exchange())
    run(server, [exchange], {b"device-1": KEY})
    assert not any(
        isinstance(event, Established)
        for event in run(server, [record(20, 3, CHANGE) + record(22, 4, client.finished())], {})
    )
    assert server.statistics.handshakes == 0


def test_data_before_the_finished_is_nothing(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Handmade(b"device-1", KEY)
    greet(server, client)
    run(server, [record(22, 2, client.key_exchange())], {b"device-1": KEY})
    assert server.receive(client.seal(23, b"early", 5), ADDRESS, 0.0) == []
    events = run(server, [client.seal(22, client.finished(), 0)], {})
    assert isinstance(events[-1], Established)


def test_a_forged_record_does_not_spoil_a_handshake(backend: Backend) -> None:
    forged = record(22, 0, bytes(40), epoch=1)
    for before in (True, False):
        server, client = Server(ServerConfig(), backend=backend), Handmade(b"device-1", KEY)
        greet(server, client)
        exchange = record(22, 2, client.key_exchange())
        finished = client.seal(22, client.finished(), 0)
        datagrams = [forged, exchange, finished] if before else [exchange, forged, forged, finished]
        seen = run(server, datagrams, {b"device-1": KEY})
        assert isinstance(seen[-1], Established)
        server.tick(100.0)
        assert server.statistics.refused == 0


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (16, b"\0\x81" + b"i" * 129),  # an identity longer than OMA allows
        (16, b"\0\x05ab"),
        (16, b"\0\x01ab"),
        (11, b"\0\0\0"),  # a Certificate that nobody asked for
        (15, b""),
    ],
)
def test_what_is_no_key_exchange(backend: Backend, kind: int, body: bytes) -> None:
    server, client = Server(ServerConfig(), backend=backend), Handmade(b"device-1", KEY)
    greet(server, client)
    seen = run(server, [record(22, 2, message(kind, 2, body))], {})
    assert not any(isinstance(event, Established | KeyWanted) for event in seen)
    server.tick(1e6)
    assert server.statistics.half_open == 0


def test_extensions_sent_twice_or_cut_are_dropped_before_any_state(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    twice = b"\0\x0c" + b"\0\x36\0\x02\x01a" * 2
    for block in (b"\0\x04\0\x36\0", twice, b"\0\x06\0\x36\0\x02\x05a", b"\0\0x"):
        assert server.receive(record(22, 0, Handmade(b"", KEY, block).hello()), ADDRESS, 0.0) == []
    assert server.statistics.malformed == 4


def test_a_held_message_costs_little(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Handmade(b"device-1", KEY)
    greet(server, client)
    for sequence in range(3, 100):
        for offset in range(0, 60000, 3000):
            part = bytes([16]) + (60001).to_bytes(3, "big") + sequence.to_bytes(2, "big")
            server.receive(record(22, 5, part + offset.to_bytes(3, "big") + b"\0\0\x01x"), ADDRESS, 0.0)
    (attempt,) = server._half_open.by_address.values()
    assert not attempt.core._incoming._partials

"""Handshakes that succeed: every suite, with and without a connection id, on both backends."""

from __future__ import annotations

import pytest

from dtls import Client, Established, Server, ServerConfig, Transmit
from dtls.backends import Backend, BackendUnusable, load
from dtls.flight import Flight
from dtls.messages import Message, fragments
from dtls.reassembly import Reassembly
from dtls.records import split
from dtls.suites import DEFAULT_CIPHERS
from tests.dtls.network import ADDRESS, KEY, Network, established


@pytest.mark.parametrize("cipher", DEFAULT_CIPHERS)
@pytest.mark.parametrize("cid", [None, b"", b"\x01dev"], ids=["no cid", "empty cid", "cid"])
def test_round_trip(backend: Backend, cipher: str, cid: bytes | None) -> None:
    client = Client(b"device-1", KEY, (cipher,), cid, backend=backend)
    network, session = established(Server(ServerConfig(), backend=backend), client)
    assert (session.identity, session.address, session.cipher) == (b"device-1", ADDRESS, cipher)
    assert session.has_cid is (cid is not None)
    for text in (b"up", b"", b"x" * 1000):
        network.send(text)
        network.answer(session, b"re " + text)
        network.run(1.0)
    assert network.received() == [b"up", b"", b"x" * 1000]
    assert network.client_received() == [b"re up", b"re ", b"re " + b"x" * 1000]
    kinds = {datagram[0] for way, _, datagram in network.on_wire[-6:] if way == "up"}
    assert kinds == {23 if cid is None else 25}
    kinds = {datagram[0] for way, _, datagram in network.on_wire[-6:] if way == "down"}
    assert kinds == {25 if cid else 23}  # RFC 9146 section 3: no length, no CID form


@pytest.mark.parametrize("cid", [None, b"c"])
@pytest.mark.parametrize("encrypt_then_mac", [True, False])
def test_cbc_takes_encrypt_then_mac_where_it_is_offered(
    backend: Backend, encrypt_then_mac: bool, cid: bytes | None
) -> None:
    client = Client(
        b"device-1", KEY, ("PSK-AES128-CBC-SHA256",), cid, backend=backend, encrypt_then_mac=encrypt_then_mac
    )
    network, session = established(Server(ServerConfig(), backend=backend), client)
    assert session.security.mac_last is encrypt_then_mac
    network.send(b"data")
    network.run(1.0)
    assert network.received() == [b"data"]


def test_the_backends_understand_each_other() -> None:
    try:
        both = load("bundled"), load("system")
    except BackendUnusable as error:
        pytest.skip(str(error))
    for one, other in (both, both[::-1]):
        for cipher in DEFAULT_CIPHERS:
            established(
                Server(ServerConfig(), backend=one), Client(b"device-1", KEY, (cipher,), b"", backend=other)
            )


@pytest.mark.parametrize("identity", [b"device-1", b"\xff\xfe\x80", b"", b"i" * 128, "Gerät".encode()])
@pytest.mark.parametrize("key", [bytes(16), b"k" * 33, b"\xff" * 64], ids=len)
def test_any_identity_and_every_key_length(backend: Backend, identity: bytes, key: bytes) -> None:
    client = Client(identity, key, backend=backend)
    network = Network(Server(ServerConfig(), backend=backend), {identity: key})
    network.start(client)
    network.run(1.0)
    assert network.sessions()[0].identity == identity


def test_the_key_may_take_its_time(backend: Backend) -> None:
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    network = Network(Server(ServerConfig(), backend=backend), {b"device-1": KEY}, key_delay=7.0)
    network.start(client)
    network.run(5.0)
    assert not client.is_established
    network.run(15.0)
    assert client.is_established
    assert len(network.sessions()) == 1


def test_the_server_keeps_nothing_of_openssl(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    before = set(server.backend._live)  # type: ignore[attr-defined] # other tests' abandoned handshakes
    established(server, Client(b"device-1", KEY, backend=backend))
    assert server.statistics.half_open == 0
    assert set(server.backend._live) <= before  # type: ignore[attr-defined]


def test_messages_are_cut_to_the_mtu_and_put_together_again() -> None:
    flight, incoming = Flight(7, 100, 1.0, 60.0), Reassembly(3)
    messages = [Message(2, 3, bytes(range(200))), Message(14, 4, b""), Message(16, 5, b"k" * 75)]
    flight.replace(messages)
    datagrams = flight.datagrams(None)
    assert max(map(len, datagrams)) <= 100
    found = [record for datagram in datagrams for record in split(datagram, 0)]
    assert [record.sequence for record in found] == list(range(7, 7 + len(found)))
    for record in reversed(found):
        for fragment in fragments(record.fragment):
            incoming.add(fragment)
    assert [incoming.take() for _ in range(4)] == [*messages, None]


def test_a_new_handshake_leaves_the_old_session_alone_until_it_is_done(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    old = Client(b"device-1", KEY, backend=backend)
    network, session = established(server, old)
    for _ in range(100):
        network.send(b"data")
    network.run(1.0)
    new = Client(b"device-1", KEY, backend=backend)
    hello = new.start(network.now)[0]
    for event in server.receive(hello, ADDRESS, network.now):
        assert isinstance(event, Transmit)
        new_hello = new.receive(event.datagram, network.now)
    assert isinstance(new_hello[0], Transmit)
    server.receive(new_hello[0].datagram, ADDRESS, network.now)
    # RFC 6347 section 4.2.8: half-way through, the old association still works.
    network.send(b"still here")
    network.run(0.5)
    assert network.received()[-1] == b"still here"
    assert not session.is_closed

    network.attach(new)
    network.run(5.0)
    assert new.is_established
    assert [(event.session, event.reason) for event in network.closed()] == [(session, "replaced")]
    network.send(b"new")
    network.run(0.5)
    assert network.received()[-1] == b"new"


def test_a_cid_session_outlives_another_device_at_its_address(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    first = Client(b"device-1", KEY, cid=b"", backend=backend)
    network, session = established(server, first)
    network.keys[b"device-2"] = KEY
    network.start(Client(b"device-2", KEY, cid=b"", backend=backend))
    network.run(1.0)
    assert not network.closed()
    network.attach(first, ("192.0.2.1", 6000))
    network.send(b"moved", ("192.0.2.1", 6000))
    network.run(1.0)
    assert network.received() == [b"moved"]
    assert session.address == ("192.0.2.1", 6000)
    # The same device again, at the same address, does replace its own.
    network.start(Client(b"device-1", KEY, cid=b"", backend=backend), ("192.0.2.1", 6000))
    network.run(1.0)
    assert [event.reason for event in network.closed()] == ["replaced"]


@pytest.mark.parametrize("version", [b"\xfe\x00", b"\xfe\xff", b"\xfe\xfd"])
def test_any_record_version_of_major_254_in_a_client_hello(backend: Backend, version: bytes) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    now, events = 1.0, []
    datagrams = client.start(now)
    for _ in range(2):
        events = server.receive(datagrams[0][:1] + version + datagrams[0][3:], ADDRESS, now)
        assert isinstance(events[0], Transmit)
        datagrams = [e.datagram for e in client.receive(events[0].datagram, now) if isinstance(e, Transmit)]
    assert server.statistics.half_open == 1


def test_a_server_without_cookies_or_with_them_is_no_matter_to_the_wire_numbers(backend: Backend) -> None:
    # RFC 6347 section 4.2.1: HelloVerifyRequest and ServerHello take the record number of the ClientHello.
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    hello = client.start(0.0)[0]
    numbered = hello[:5] + (77).to_bytes(6, "big") + hello[11:]
    (verify,) = server.receive(numbered, ADDRESS, 0.0)
    assert isinstance(verify, Transmit)
    assert int.from_bytes(verify.datagram[5:11], "big") == 77
    (second,) = client.receive(verify.datagram, 0.0)
    assert isinstance(second, Transmit)
    numbered = second.datagram[:5] + (91).to_bytes(6, "big") + second.datagram[11:]
    (flight,) = server.receive(numbered, ADDRESS, 0.0)
    assert isinstance(flight, Transmit)
    assert int.from_bytes(flight.datagram[5:11], "big") == 91


def test_established_comes_once(backend: Backend) -> None:
    network, _ = established(
        Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, cid=b"", backend=backend)
    )
    network.run(300.0)
    assert sum(isinstance(event, Established) for event in network.server_events) == 1
    assert sum(isinstance(event, Established) for event in network.client_events[ADDRESS]) == 1

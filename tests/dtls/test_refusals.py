"""Handshakes that come to nothing, sessions that end, and what a server cannot be talked into."""

from __future__ import annotations

import itertools

import pytest

from dtls import Client, Closed, KeyWanted, Refused, Server, ServerConfig, SessionGone, Transmit
from dtls.alerts import CLOSE_NOTIFY, FATAL, WARNING
from dtls.backends import Backend, BackendUnusable, bundled, load, system
from dtls.records import ALERT, HANDSHAKE, plain
from tests.dtls.network import ADDRESS, KEY, Network, established


def test_an_unknown_identity_looks_like_a_wrong_key_to_the_peer_and_not_to_us(backend: Backend) -> None:
    seen = []
    for keys in ({}, {b"device-1": b"another key 16 b"}):
        network = Network(Server(ServerConfig(), backend=backend), keys)
        network.start(Client(b"device-1", KEY, backend=backend))
        network.run(4.0)
        (refused,) = network.refused()
        (told,) = [event for event in network.client_events[ADDRESS] if isinstance(event, Refused)]
        assert (refused.address, refused.identity) == (ADDRESS, b"device-1")
        seen.append((refused.cause, told.cause))
        assert network.server.statistics.half_open == 0
        assert network.server.statistics.refused == 1
    assert seen == [("PSK_IDENTITY_UNKNOWN", "PSK_MISMATCH"), ("PSK_MISMATCH", "PSK_MISMATCH")]


def test_an_unknown_identity_may_be_said_aloud(backend: Backend) -> None:
    network = Network(Server(ServerConfig(hide_unknown_identities=False), backend=backend))
    network.start(Client(b"device-1", KEY, backend=backend))
    network.run(2.0)
    assert [event.cause for event in network.refused()] == ["PSK_IDENTITY_UNKNOWN"]
    (told,) = [event for event in network.client_events[ADDRESS] if isinstance(event, Refused)]
    assert (told.cause, told.detail) == ("PSK_IDENTITY_UNKNOWN", "the server sent unknown_psk_identity")


@pytest.mark.parametrize("cid", [None, b"", b"c"])
def test_a_wrong_key_with_a_cid_or_without(backend: Backend, cid: bytes | None) -> None:
    network = Network(
        Server(ServerConfig(), backend=backend), {b"device-1": b"another key 16 b"}, key_delay=0.5
    )
    network.start(Client(b"device-1", KEY, cid=cid, backend=backend))
    network.run(4.0)
    assert [event.cause for event in network.refused()] == ["PSK_MISMATCH"]


def test_no_common_cipher(backend: Backend) -> None:
    server = Server(ServerConfig(ciphers=("PSK-AES128-CCM8",)), backend=backend)
    network = Network(server)
    network.start(Client(b"device-1", KEY, ("PSK-AES128-GCM-SHA256",), backend=backend))
    network.run(2.0)
    (refused,) = network.refused()
    assert (refused.cause, refused.detail) == ("DTLS_SUITE_UNSUPPORTED", "no shared cipher")
    (told,) = [event for event in network.client_events[ADDRESS] if isinstance(event, Refused)]
    assert told.detail == "the server sent handshake_failure"


def test_dtls_1_0_is_refused(backend: Backend) -> None:
    network = Network(Server(ServerConfig(), backend=backend))
    client = Client(b"device-1", KEY, backend=backend)
    datagram = client.start(0.0)[0]
    old = datagram[:25] + b"\xfe\xff" + datagram[27:]
    (verify,) = network.server.receive(old, ADDRESS, 0.0)
    assert isinstance(verify, Transmit)
    second = next(e for e in client.receive(verify.datagram, 0.0) if isinstance(e, Transmit)).datagram
    # The cookie covers the version: a client that is not OpenSSL sends the old one with it again.
    events = network.server.receive(second[:25] + b"\xfe\xff" + second[27:], ADDRESS, 0.0)
    assert isinstance(events[-1], Refused)
    assert events[-1].cause == "DTLS_HANDSHAKE_FAILED"


def test_a_handshake_that_is_left_is_reported_once(backend: Backend) -> None:
    server = Server(ServerConfig(handshake_timeout=30.0), backend=backend)
    network = Network(server, {b"device-1": KEY})
    client = Client(b"device-1", KEY, backend=backend)
    network.start(client)
    network.run(0.05)
    network.clients.clear()
    network.run(100.0)
    assert [event.cause for event in network.refused()] == ["DTLS_HANDSHAKE_TIMEOUT"]
    assert (server.statistics.half_open, server.statistics.timeouts) == (0, 1)
    # RFC 6347 section 4.2.4.1: 1, 2, 4, 8 ... seconds apart.
    sent = [datagram for way, _, datagram in network.on_wire if way == "down"]
    assert 4 <= len(sent) <= 6


def test_a_key_that_does_not_come(backend: Backend) -> None:
    network = Network(Server(ServerConfig(handshake_timeout=10.0), backend=backend), key_delay=1e6)
    network.start(Client(b"device-1", KEY, backend=backend))
    network.run(15.0)
    assert [(e.cause, e.detail) for e in network.refused()] == [
        ("DTLS_HANDSHAKE_TIMEOUT", "the key did not come in time")
    ]
    wanted = [event for event in network.server_events if isinstance(event, KeyWanted)]
    assert len(wanted) == 1
    assert network.server.provide_key(wanted[0].handshake, KEY, network.now) == []


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_key_of_no_good_length(backend: Backend, length: int) -> None:
    network = Network(Server(ServerConfig(), backend=backend), {b"device-1": bytes(length)})
    network.start(Client(b"device-1", KEY, backend=backend))
    network.run(2.0)
    assert [event.cause for event in network.refused()] == ["DTLS_HANDSHAKE_FAILED"]


def test_a_client_gives_up_after_its_time(backend: Backend) -> None:
    client = Client(b"device-1", KEY, handshake_timeout=10.0, backend=backend)
    client.start(0.0)
    sent, now = 0, 0.0
    while (due := client.next_deadline()) is not None:
        now = due
        events = client.tick(now)
        sent += sum(isinstance(event, Transmit) for event in events)
    assert (now, sent) == (10.0, 3)
    assert isinstance(events[0], Refused)
    assert events[0].cause == "DTLS_HANDSHAKE_TIMEOUT"


def test_20_000_client_hellos_leave_no_trace(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    hello = Client(b"device-1", KEY, cid=b"", backend=backend).start(0.0)[0]
    for number in range(20_000):
        (verify,) = server.receive(hello, (f"10.0.{number >> 8}.{number & 255}", 5684), 0.0)
        assert isinstance(verify, Transmit)
        assert len(verify.datagram) < len(hello)
    assert server.statistics.hello_verify_requests == 20_000
    assert server.statistics.half_open == 0
    assert server.next_deadline() is None


def second_hello(server: Server, client: Client, address: tuple[str, int], now: float) -> bytes:
    """The ClientHello with the cookie that the server gave this address."""
    (verify,) = server.receive(client.start(now)[0], address, now)
    assert isinstance(verify, Transmit)
    (second,) = client.receive(verify.datagram, now)
    assert isinstance(second, Transmit)
    return second.datagram


def test_half_open_handshakes_are_capped_and_reported(backend: Backend) -> None:
    server = Server(ServerConfig(max_half_open=20), backend=backend)
    clients = [Client(b"device-1", KEY, backend=backend) for _ in range(30)]
    events = []
    for number, client in enumerate(clients):
        address = ("10.0.0.1", number)
        events += server.receive(second_hello(server, client, address, 0.0), address, 0.0)
    assert server.statistics.half_open == 20
    assert server.statistics.flooded == 10
    assert [event.cause for event in events if isinstance(event, Refused)] == ["DTLS_FLOOD"]
    # The room goes to newcomers once the first have had a quarter of their time.
    address = ("10.0.0.1", 99)
    answer = server.receive(second_hello(server, clients[-1], address, 20.0), address, 20.0)
    assert isinstance(answer[0], Transmit)
    assert server.statistics.half_open == 20


def test_one_host_cannot_take_all_the_room(backend: Backend) -> None:
    server = Server(ServerConfig(max_half_open=20, max_half_open_per_host=5), backend=backend)
    client = Client(b"device-1", KEY, backend=backend)
    for number in range(10):
        address = ("10.0.0.1", number)
        server.receive(second_hello(server, client, address, 0.0), address, 0.0)
    assert (server.statistics.half_open, server.statistics.flooded) == (5, 5)
    server.receive(second_hello(server, client, ADDRESS, 0.0), ADDRESS, 0.0)
    assert server.statistics.half_open == 6
    server.tick(1000.0)
    assert server.statistics.half_open == 0
    assert not server._half_open._admission._per_host


def test_a_cookie_is_good_for_its_address_and_time_only(backend: Backend) -> None:
    server = Server(ServerConfig(cookie_period=60.0), backend=backend)
    client = Client(b"device-1", KEY, backend=backend)
    hello = second_hello(server, client, ADDRESS, 0.0)
    assert server.statistics.hello_verify_requests == 1
    server.receive(hello, ("10.9.9.9", 1), 0.0)
    assert (server.statistics.hello_verify_requests, server.statistics.half_open) == (2, 0)
    server.receive(hello, ADDRESS, 200.0)
    assert (server.statistics.hello_verify_requests, server.statistics.half_open) == (3, 0)
    hello = second_hello(server, client, ADDRESS, 290.0)
    server.receive(hello, ADDRESS, 345.0)  # the secret has changed since, the one before is still good
    assert server.statistics.half_open == 1


def test_alerts_without_protection_do_not_end_a_session(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    network, _session = established(server, client)
    for level, number in itertools.product((WARNING, FATAL), (CLOSE_NOTIFY, 20, 40)):
        for epoch in (0, 1, 2):
            record = plain(ALERT, b"\xfe\xfd", 1000 + number, bytes((level, number)), epoch)
            assert server.receive(record, ADDRESS, network.now) == []
            assert client.receive(record, network.now) == []
    network.send(b"alive")
    network.run(1.0)
    assert network.received() == [b"alive"]


def test_close_notify_is_answered_and_ends_both_sides(backend: Backend) -> None:
    for cid in (None, b"c"):
        server = Server(ServerConfig(), backend=backend)
        client = Client(b"device-1", KEY, cid=cid, backend=backend)
        network, session = established(server, client)
        for datagram in client.close(network.now):
            network.to_server(datagram)
        network.run(1.0)
        assert network.closed() == [Closed(session, "close_notify")]
        assert (session.is_closed, client.is_established) == (True, False)
        with pytest.raises(SessionGone):
            server.send(session, b"x", network.now)
        with pytest.raises(SessionGone):
            client.send(b"x", network.now)
        assert server.statistics.sessions == 0
        assert server.close(session, network.now) == []


def test_the_server_closes(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    network, session = established(server, client)
    network.handle(server.close(session, network.now))
    network.run(1.0)
    assert [event.reason for event in network.closed()] == ["closed"]
    assert Closed(client.session, "close_notify") in network.client_events[ADDRESS]


def test_an_authentic_fatal_alert_ends_a_session(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    network, session = established(server, client)
    assert client.session is not None
    network.to_server(client.session.seal(ALERT, bytes((FATAL, 80))))
    network.run(1.0)
    assert network.closed() == [Closed(session, "alert internal_error")]


def test_renegotiation_is_refused(backend: Backend) -> None:
    server, client = Server(ServerConfig(), backend=backend), Client(b"device-1", KEY, backend=backend)
    network, session = established(server, client)
    assert client.session is not None
    hello = client.session.seal(HANDSHAKE, bytes((1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0)))
    (answer,) = server.receive(hello, ADDRESS, network.now)
    assert isinstance(answer, Transmit)
    assert client.session.open_record(answer.datagram) == (ALERT, b"\x01\x64")
    assert not session.is_closed
    assert server.statistics.half_open == 0


def test_idle_sessions_are_closed_in_their_time(backend: Backend) -> None:
    server = Server(ServerConfig(idle_timeout=100.0), backend=backend)
    network, session = established(server, Client(b"device-1", KEY, cid=b"", backend=backend))
    network.run(60.0)
    network.send(b"keeps it")
    network.run(60.0)
    assert not network.closed()
    network.run(60.0)
    assert network.closed() == [Closed(session, "idle")]
    assert (server.statistics.idle, server.next_deadline()) == (1, None)


def test_a_deadline_is_never_asked_for_twice() -> None:
    # Sums of floats: what is due at a deadline must be due in the tick at that very time.
    for number in range(200):
        start = 1000.0 + number / 7
        server = Server(ServerConfig(idle_timeout=100.1))
        hello = second_hello(server, Client(b"device-1", KEY), ADDRESS, start)
        server.receive(hello, ADDRESS, start)
        _, session = established(server, Client(b"device-1", KEY))
        session.last_active_at = start
        previous = 0.0
        while (due := server.next_deadline()) is not None:
            assert due > previous
            server.tick(due)
            previous = due


def test_the_longest_idle_is_evicted_when_there_are_too_many(backend: Backend) -> None:
    server = Server(ServerConfig(max_sessions=2), backend=backend)
    network = Network(server, {b"device-%d" % number: KEY for number in (1, 2, 3)})
    for number in (1, 2):
        network.start(Client(b"device-%d" % number, KEY, backend=backend), ("10.0.0.1", number))
        network.run(1.0)
    network.send(b"busy", ("10.0.0.1", 1))
    network.run(1.0)
    network.start(Client(b"device-3", KEY, backend=backend), ("10.0.0.1", 3))
    network.run(1.0)
    assert [(event.session.address, event.reason) for event in network.closed()] == [
        (("10.0.0.1", 2), "evicted")
    ]
    assert server.statistics.sessions == 2


def test_a_backend_that_cannot_be_used_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendUnusable, match="there is no backend 'gnutls'"):
        load("gnutls")
    with pytest.raises(BackendUnusable, match=r"needs OpenSSL 3: libssl-is-not-here"):
        system.System("libssl-is-not-here.so")


def test_a_version_that_was_not_checked_serves_when_it_can_shake_hands_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load("bundled").remark == ""
    monkeypatch.setattr(bundled.cryptography, "__version__", "50.0.3")
    load.cache_clear()
    try:
        remark = load("bundled").remark
    finally:
        load.cache_clear()
    assert "cryptography 50.0.3 passed the self-test" in remark
    assert "50.0.2" in remark


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("master_secret", lambda self, ssl: bytes(48)),
        ("handshake", lambda self, ssl: (0, 1)),
        ("read", lambda self, bio: b""),
        ("write", lambda self, bio, records: 1 / 0),
        ("pointer", lambda self, ssl: 0),
    ],
)
@pytest.mark.parametrize("backend_name", ["bundled", "system"])
def test_bindings_that_do_something_else_fail_the_self_test(
    monkeypatch: pytest.MonkeyPatch, backend_name: str, name: str, broken: object
) -> None:
    library = {"bundled": bundled.Bundled, "system": system.System}[backend_name]
    monkeypatch.setattr(library, name, broken)
    load.cache_clear()
    try:
        with pytest.raises(
            BackendUnusable, match=rf"'{backend_name}' .* failed its self-test with PSK-AES128-CCM8"
        ):
            load(backend_name)
    finally:
        load.cache_clear()


def test_bindings_that_lack_a_function_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "NEEDED", (*bundled.NEEDED, "SSL_brew_coffee"))
    with pytest.raises(BackendUnusable, match="lacks SSL_brew_coffee"):
        bundled.Bundled()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ciphers": ("NULL",)},
        {"ciphers": ()},
        {"cid_length": 4, "cid_prefix": b"p"},
        {"cid_length": 33},
        {"mtu": 10},
        {"sequence_block": 0},
    ],
)
def test_a_configuration_that_cannot_work(wrong: dict) -> None:
    with pytest.raises(ValueError):
        ServerConfig(**wrong)


def test_the_cid_begins_with_its_prefix(backend: Backend) -> None:
    server = Server(ServerConfig(cid_length=6, cid_prefix=b"\x07"), backend=backend)
    _, session = established(server, Client(b"device-1", KEY, cid=b"", backend=backend))
    assert len(session.security.own_cid) == 6
    assert session.security.own_cid[:1] == b"\x07"


def test_cid_off(backend: Backend) -> None:
    server = Server(ServerConfig(cid_length=0), backend=backend)
    _, session = established(server, Client(b"device-1", KEY, cid=b"abc", backend=backend))
    assert not session.has_cid
    assert session.security.peer_cid == b""

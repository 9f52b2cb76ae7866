"""ClientHellos in fragments (RFC 6347 section 4.2.3), and records as short as the peer wants (RFC 6066 section 4)."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest

from dtls import Client, Established, Event, Received, Server, ServerConfig, Transmit
from dtls.backends import Backend
from dtls.messages import CLIENT_HELLO, Message, fragment_of, fragments
from dtls.pieces import KEPT_SECONDS, MAX_ADDRESSES
from dtls.records import HANDSHAKE, HEADER, plain, split
from tests.dtls.network import ADDRESS, KEY, Network
from tests.dtls.test_peers import KEY as PEERS_KEY
from tests.dtls.test_peers import has, need, serve


def cut(datagram: bytes, size: int, first: int = 0) -> list[bytes]:
    """The ClientHello in a datagram, in records of `size` bytes of it each, numbered from `first`."""
    (record,) = split(datagram, 0)
    (whole,) = fragments(record.fragment)
    message = Message(whole.kind, whole.sequence, whole.body)
    offsets = range(0, len(whole.body), size)
    return [
        plain(HANDSHAKE, record.version, first + n, fragment_of(message, at, min(size, len(whole.body) - at)))
        for n, at in enumerate(offsets)
    ]


def feed(server: Server, datagrams: list[bytes], now: float = 0.0, address=ADDRESS) -> list[Event]:
    return [event for datagram in datagrams for event in server.receive(datagram, address, now)]


def sent(events: list[Event]) -> list[bytes]:
    return [event.datagram for event in events if isinstance(event, Transmit)]


def begin(server: Server, client: Client, size: int, now: float = 0.0, address=ADDRESS) -> list[bytes]:
    """The datagrams of the second ClientHello, in fragments, after the first one in fragments was answered."""
    (verify,) = sent(feed(server, cut(client.start(now)[0], size), now, address))
    (second,) = sent(client.receive(verify, now))
    return cut(second, size, first=20)


@pytest.mark.parametrize("size", [11, 40, 70, 103])
@pytest.mark.parametrize("order", ["as sent", "backwards", "twice"])
def test_a_hello_in_fragments_leads_to_a_handshake(backend: Backend, size: int, order: str) -> None:
    server = Server(ServerConfig(), backend=backend)
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    datagrams = begin(server, client, size)
    if order == "backwards":
        datagrams.reverse()
    elif order == "twice":
        datagrams = [each for each in datagrams for _ in (1, 2)]
    answer = sent(feed(server, datagrams))
    assert len(server._half_open._pieces) == (order == "twice")  # a repeated end, for a moment
    network = Network(server, {b"device-1": KEY})
    network.now = 0.0
    network.attach(client)
    for datagram in answer:
        network.to_client(datagram, ADDRESS)
    network.run(1.0)
    assert client.is_established


def test_a_first_fragment_that_reaches_far_enough_is_answered_at_once(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    first, *others = cut(Client(b"device-1", KEY, cid=b"", backend=backend).start(0.0)[0], 70)
    assert others
    (verify,) = sent(feed(server, [first]))
    assert len(verify) < len(first)
    assert len(server._half_open._pieces) == 0


def test_a_flood_of_fragments_is_bounded_and_pushes_out_nobody_with_a_cookie(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    first, *rest = begin(server, client, 70)
    feed(server, [first])
    last = cut(client.start(0.0)[0], 70)[-1]
    for number in range(5_000):
        address = (f"10.0.{number >> 8}.{number & 255}", 5684)
        assert server.receive(last, address, 0.1) == []
    assert len(server._half_open._pieces) == MAX_ADDRESSES
    assert server.statistics.half_open == 0
    assert sent(feed(server, rest, 0.2))


def test_pieces_are_kept_for_a_moment_only(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    first, *rest = begin(server, Client(b"device-1", KEY, cid=b"", backend=backend), 70)
    feed(server, [first])
    assert sent(feed(server, rest, KEPT_SECONDS + 1)) == []


def test_fragments_of_a_message_that_nobody_would_hold(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    for length in (2049, 1 << 24 - 1):
        body = (
            CLIENT_HELLO.to_bytes(1) + length.to_bytes(3) + bytes(2) + bytes(3) + (10).to_bytes(3) + bytes(10)
        )
        assert server.receive(plain(HANDSHAKE, b"\xfe\xff", 0, body), ADDRESS, 0.0) == []
    assert (len(server._half_open._pieces), server.statistics.malformed) == (0, 2)


def s_client(to: socket.socket, *options: str) -> list[str]:
    return [
        need("openssl"), "s_client", "-dtls1_2", "-quiet", "-psk_identity", "device-1", "-psk", PEERS_KEY.hex(),
        "-connect", f"127.0.0.1:{to.getsockname()[1]}", *options,
    ]  # fmt: skip


@pytest.fixture
def talking(port: socket.socket) -> Iterator:
    processes = []

    def start(*options: str) -> subprocess.Popen:
        command = s_client(port, *options)
        processes.append(subprocess.Popen(command, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL))
        processes[-1].stdin.write(b"hello\n")
        processes[-1].stdin.flush()
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("mtu", [256, 300])
def test_openssl_s_client_with_a_small_mtu_and_all_its_suites(
    backend: Backend, port: socket.socket, talking, mtu: int
) -> None:
    """californium#722; 256 is the smallest that OpenSSL takes, and its suites alone fill a first fragment."""
    talking("-mtu", str(mtu))
    seen = serve(Server(ServerConfig(), backend=backend), port, has(Received), lambda text: None)
    assert [event.plaintext for event in seen if isinstance(event, Received)] == [b"hello\n"]


@pytest.mark.parametrize("limit", [512, 1024])
def test_openssl_s_client_that_wants_short_records(
    backend: Backend, port: socket.socket, talking, limit: int
) -> None:
    process = talking("-maxfraglen", str(limit), "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0")
    server = Server(ServerConfig(), backend=backend)
    seen = serve(server, port, has(Received), lambda text: b"x" * (limit - 1) + b"\n")
    (session,) = [event.session for event in seen if isinstance(event, Established)]
    assert process.stdout.readline() == b"x" * (limit - 1) + b"\n"
    assert session.max_plaintext == limit
    with pytest.raises(ValueError, match=f"holds {limit} bytes"):
        server.send(session, bytes(limit + 1), 0.0)
    again = Server(ServerConfig(), backend=backend).import_sessions(server.export_sessions(0.0), 0.0)
    assert [each.max_plaintext for each in again] == [limit]


def test_without_the_extension_a_record_holds_what_the_standard_says(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    network = Network(server, {b"device-1": KEY})
    network.start(Client(b"device-1", KEY, backend=backend))
    network.run(1.0)
    (session,) = server.sessions
    assert session.max_plaintext == 1 << 14
    (whole,) = server.send(session, bytes(1 << 14), network.now)
    assert len(whole.datagram) > HEADER + (1 << 14)

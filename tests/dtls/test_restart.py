"""Sessions that outlive their process: a clean restart, a crash, damage; and no nonce is ever used twice."""

from __future__ import annotations

import pytest

from dtls import Client, Received, Server, ServerConfig, Session, SessionGone
from dtls.backends import Backend
from dtls.records import MAX_SEQUENCE
from dtls.suites import DEFAULT_CIPHERS
from tests.dtls.network import ADDRESS, KEY, Network, established

ELSEWHERE = ("198.51.100.9", 6000)


def sequence(datagram: bytes) -> int:
    return int.from_bytes(datagram[5:11], "big")


@pytest.mark.parametrize("cipher", DEFAULT_CIPHERS)
@pytest.mark.parametrize("cid", [None, b"c"])
def test_a_clean_restart_needs_no_handshake(backend: Backend, cipher: str, cid: bytes | None) -> None:
    client = Client(b"device-1", KEY, (cipher,), cid, backend=backend)
    network, before = established(Server(ServerConfig(), backend=backend), client)
    network.send(b"before")
    network.run(1.0)
    old = network.on_wire[-1][2]
    blob = network.server.export_sessions(network.now)

    server = Server(ServerConfig(), backend=backend)
    (after,) = server.import_sessions(blob, 50.0)  # another process has another clock
    assert (after.identity, after.address, after.cipher) == (before.identity, before.address, before.cipher)
    assert (after.has_cid, after.security) == (before.has_cid, before.security)
    assert after.established_at == pytest.approx(50.0 - (network.now - before.established_at))
    assert server.receive(old, ADDRESS, 50.0) == []  # the replay window came along
    network.server, network.now = server, 50.0
    network.send(b"after")
    network.answer(after, b"welcome back")
    network.run(1.0)
    assert network.received() == [b"before", b"after"]
    assert network.client_received() == [b"welcome back"]


class Journal:
    """An owner that stores what a crash must not lose, as docs/dtls.md has it."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.stored: dict[bytes, bytes] = {}
        self.calls: list[int] = []

    def reserve(self, session: Session, upto: int) -> None:
        assert self.server is not None
        self.calls.append(upto)
        self.stored[session.identity] = self.server.export_session(session, 0.0)

    def boot(self, backend: Backend) -> tuple[Server, list[Session]]:
        self.server = Server(ServerConfig(sequence_block=8, reserve=self.reserve), backend=backend)
        return self.server, self.server.import_sessions(b"".join(self.stored.values()), 0.0)


def test_crashes_never_reuse_a_nonce(backend: Backend) -> None:
    journal = Journal()
    server, _ = journal.boot(backend)
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    network, session = established(server, client)
    used = [0]  # the Finished
    for round_number in range(6):
        for _ in range(3 + 5 * round_number):
            (transmit,) = server.send(session, b"x", 0.0)
            used.append(sequence(transmit.datagram))
        server, (session,) = journal.boot(backend)  # nothing was exported: this is a crash
        assert session.identity == b"device-1"
    assert len(used) == len(set(used))
    assert used == sorted(used)
    # Each limit was stored before a number below it was used, and each block was asked for once.
    assert journal.calls == sorted(set(journal.calls))
    network.server = server
    network.send(b"still here")
    network.run(1.0)
    assert network.received() == [b"still here"]


def test_numbers_are_reserved_before_they_are_used(backend: Backend) -> None:
    calls: list[tuple[int, int]] = []

    def reserve(session: Session, upto: int) -> None:
        calls.append((session.next_sequence, upto))

    server = Server(ServerConfig(sequence_block=4, reserve=reserve), backend=backend)
    _, session = established(server, Client(b"device-1", KEY, backend=backend))
    for _ in range(8):
        server.send(session, b"x", 0.0)
    assert calls == [(0, 4), (4, 8), (8, 12)]


def test_a_reservation_that_fails_sends_nothing(backend: Backend) -> None:
    is_broken = True

    def reserve(session: Session, upto: int) -> None:
        if is_broken:
            raise OSError("disk full")

    server = Server(ServerConfig(sequence_block=2, reserve=reserve), backend=backend)
    network = Network(server, {b"device-1": KEY})
    client = Client(b"device-1", KEY, backend=backend)
    network.start(client)
    network.run(1.0)
    assert [event.cause for event in network.refused()] == ["DTLS_HANDSHAKE_FAILED"]

    is_broken = False
    network.start(client)
    network.run(1.0)
    (session,) = network.sessions()
    server.send(session, b"1", 0.0)
    is_broken = True
    with pytest.raises(OSError, match="disk full"):
        server.send(session, b"2", 0.0)
    with pytest.raises(OSError, match="disk full"):
        server.send(session, b"2", 0.0)
    for datagram in client.close(network.now):
        network.handle(server.receive(datagram, ADDRESS, network.now))  # its answer stays unsent, no more
    assert [event.reason for event in network.closed()] == ["close_notify"]
    is_broken = False


def test_without_a_hook_an_export_binds_the_one_who_made_it(backend: Backend) -> None:
    server = Server(ServerConfig(sequence_block=10), backend=backend)
    _, session = established(server, Client(b"device-1", KEY, backend=backend))
    blob = server.export_sessions(0.0)
    sent = [sequence(server.send(session, b"x", 0.0)[0].datagram) for _ in range(9)]
    with pytest.raises(SessionGone, match="exported"):
        server.send(session, b"x", 0.0)
    other = Server(ServerConfig(), backend=backend)
    (imported,) = other.import_sessions(blob, 0.0)
    assert sequence(other.send(imported, b"x", 0.0)[0].datagram) > max(sent)
    # Exporting now and then is enough for one who sends less than half a block between two exports.
    server.export_sessions(0.0)
    server.send(session, b"x", 0.0)


def test_sequence_numbers_end(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    _, session = established(server, Client(b"device-1", KEY, backend=backend))
    session.next_sequence = session.reserved = MAX_SEQUENCE - 2
    server.send(session, b"x", 0.0)
    server.send(session, b"x", 0.0)
    with pytest.raises(SessionGone, match="used up"):
        server.send(session, b"x", 0.0)


def test_damage_costs_the_damaged_only(backend: Backend) -> None:
    server = Server(ServerConfig(), backend=backend)
    network = Network(server, dict.fromkeys((b"d%d" % n for n in range(5)), KEY))
    for number in range(5):
        network.start(Client(b"d%d" % number, KEY, cid=b"", backend=backend), ("10.0.0.1", number))
    network.run(1.0)
    blob = server.export_sessions(network.now)
    size = len(blob) // 5
    for at in range(len(blob)):
        hurt = blob[:at] + bytes([blob[at] ^ 0x55]) + blob[at + 1 :]
        names = [s.identity for s in Server(ServerConfig(), backend=backend).import_sessions(hurt, 0.0)]
        assert names == [b"d%d" % n for n in range(5) if n != at // size]
    for length in range(0, len(blob), 7):
        found = Server(ServerConfig(), backend=backend).import_sessions(blob[:length], 0.0)
        assert len(found) == length // size
    assert Server(ServerConfig(), backend=backend).import_sessions(b"junk" * 100, 0.0) == []
    # Twice in one blob, or a second time over, is once.
    again = Server(ServerConfig(), backend=backend)
    assert len(again.import_sessions(blob + blob, 0.0)) == 5
    assert again.import_sessions(blob, 0.0) == []
    # Another length of CID could not be read back from the wire.
    assert Server(ServerConfig(cid_length=6), backend=backend).import_sessions(blob, 0.0) == []


def test_a_client_goes_on_from_another_port_and_another_process(backend: Backend) -> None:
    client = Client(b"device-1", KEY, cid=b"", backend=backend)
    network, session = established(Server(ServerConfig(), backend=backend), client)
    blob = client.export(network.now)
    reborn = Client.from_export(blob, network.now)
    assert reborn.is_established
    network.clients.clear()
    network.attach(reborn, ELSEWHERE)
    network.send(b"from elsewhere", ELSEWHERE)
    network.run(1.0)
    network.answer(session, b"found you")
    network.run(1.0)
    assert network.received() == [b"from elsewhere"]
    assert network.client_received(ELSEWHERE) == [b"found you"]
    with pytest.raises(SessionGone):
        Client.from_export(b"junk", 0.0)
    with pytest.raises(SessionGone):
        Client.from_export(network.server.export_sessions(0.0), 0.0)


def test_after_a_restart_that_forgot_unknown_records_are_dropped_in_silence(backend: Backend) -> None:
    for cid in (None, b""):
        client = Client(b"device-1", KEY, cid=cid, backend=backend)
        network, _ = established(Server(ServerConfig(), backend=backend), client)
        fresh = Server(ServerConfig(), backend=backend)
        assert fresh.receive(client.send(b"x", 0.0)[0], ADDRESS, 0.0) == []
        assert fresh.statistics.unknown_cid + fresh.statistics.unknown_address == 1
        # And it can begin anew.
        network.server = fresh
        network.start(client)
        network.run(1.0)
        network.send(b"anew")
        network.run(1.0)
        assert any(isinstance(e, Received) and e.plaintext == b"anew" for e in network.server_events)

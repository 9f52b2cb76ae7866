"""Anything may come in a datagram: nothing is raised, and no session is the worse for it."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtls import Client, KeyWanted, Received, Refused, Server, ServerConfig, Transmit
from dtls.suites import DEFAULT_CIPHERS
from tests.dtls.network import ADDRESS, KEY, established
from tests.dtls.test_refusals import second_hello

FEW = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
ELSEWHERE = ("198.51.100.9", 6000)


@cache
def corpus() -> list[bytes]:
    """Every datagram of a handshake and some data, in every form."""
    found = []
    for cid in (None, b"", b"cid"):
        for cipher in ("PSK-AES128-CCM8", "PSK-AES128-CBC-SHA256"):
            network, session = established(Server(ServerConfig()), Client(b"device-1", KEY, (cipher,), cid))
            network.send(b"data")
            network.answer(session, b"data")
            found += [datagram for _, _, datagram in network.on_wire]
    return found


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    """Noise, noise in a frame, or a true datagram with something wrong in it."""
    kind = draw(st.sampled_from(["noise", "framed", "message", "mutated", "spliced"]))
    if kind == "noise":
        return draw(st.binary(max_size=300))
    if kind == "framed":
        body = draw(st.binary(max_size=200))
        head = bytes([draw(st.integers(20, 26)), 0xFE, draw(st.sampled_from([0xFD, 0xFF]))])
        epoch = draw(st.integers(0, 2)).to_bytes(2, "big")
        number = draw(st.integers(0, (1 << 48) - 1)).to_bytes(6, "big")
        return head + epoch + number + len(body).to_bytes(2, "big") + body
    if kind == "message":
        body = draw(st.binary(max_size=100))
        size, offset = draw(st.integers(0, 3000)), draw(st.integers(0, 300))
        message = bytes([draw(st.sampled_from([0, 1, 2, 3, 12, 14, 16, 20]))]) + size.to_bytes(3, "big")
        message += draw(st.integers(0, 12)).to_bytes(2, "big") + offset.to_bytes(3, "big")
        message += len(body).to_bytes(3, "big") + body
        return b"\x16\xfe\xfd" + bytes(8) + len(message).to_bytes(2, "big") + message
    base = bytearray(draw(st.sampled_from(corpus())))
    if kind == "spliced":
        other = draw(st.sampled_from(corpus()))
        return bytes(base[: draw(st.integers(0, len(base)))] + other[draw(st.integers(0, len(other))) :])
    for _ in range(draw(st.integers(1, 4))):
        base[draw(st.integers(0, len(base) - 1))] = draw(st.integers(0, 255))
    return bytes(base[: draw(st.integers(len(base) // 2, len(base)))])


@FEW
@given(st.lists(datagrams(), max_size=8), st.sampled_from([None, b"", b"cid"]))
def test_a_session_survives_anything(noise: list[bytes], cid: bytes | None) -> None:
    server, client = Server(ServerConfig()), Client(b"device-1", KEY, cid=cid)
    network, session = established(server, client)
    for datagram in noise:
        for address in (ADDRESS, ELSEWHERE):
            for event in server.receive(datagram, address, network.now):
                assert isinstance(event, Transmit | KeyWanted | Refused)
        assert all(isinstance(event, Transmit) for event in client.receive(datagram, network.now))
    assert session.address == ADDRESS
    events = server.receive(client.send(b"alive", network.now)[0], ADDRESS, network.now)
    assert events == [Received(session, b"alive", ADDRESS)]
    (transmit,) = server.send(session, b"and you", network.now)
    assert client.receive(transmit.datagram, network.now) == [Received(client.session, b"and you", None)]


@FEW
@given(st.lists(datagrams(), max_size=8), st.integers(0, 3))
def test_a_handshake_in_progress_raises_nothing(noise: list[bytes], stage: int) -> None:
    server, client = Server(ServerConfig()), Client(b"device-1", KEY, cid=b"cid")
    up = [second_hello(server, client, ADDRESS, 0.0)] if stage else client.start(0.0)
    if stage > 1:
        down = server.receive(up[0], ADDRESS, 0.0)
        for event in down:
            assert isinstance(event, Transmit)
            up = [e.datagram for e in client.receive(event.datagram, 0.0) if isinstance(e, Transmit)]
    wanted = []
    if stage > 2:
        wanted = [e for e in server.receive(up[0], ADDRESS, 0.0) if isinstance(e, KeyWanted)]
    for datagram in noise:
        for event in server.receive(datagram, ADDRESS, 0.0):
            if isinstance(event, KeyWanted):
                server.provide_key(event.handshake, KEY, 0.0)
        client.receive(datagram, 0.0)
    for event in wanted:
        server.provide_key(event.handshake, KEY, 0.0)
    server.tick(1e6)
    client.tick(1e6)
    assert server.statistics.half_open == 0


@pytest.mark.parametrize("cid", [None, b"", b"cid"])
@pytest.mark.parametrize("cipher", DEFAULT_CIPHERS)
def test_no_record_of_a_session_can_be_changed(cid: bytes | None, cipher: str) -> None:
    server, client = Server(ServerConfig()), Client(b"device-1", KEY, (cipher,), cid)
    network, session = established(server, client)
    record = client.send(b"open the valve", network.now)[0]
    for at in range(len(record)):
        for changed in (record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :], record[:at]):
            assert server.receive(changed, ADDRESS, network.now) == []
    # Whatever follows a record in its datagram is another record, or nothing.
    assert server.receive(record + b"more", ADDRESS, network.now) == [
        Received(session, b"open the valve", ADDRESS)
    ]


@FEW
@given(st.binary(max_size=400))
def test_an_import_raises_nothing(blob: bytes) -> None:
    assert Server(ServerConfig()).import_sessions(blob, 0.0) == []

"""Floods without security: bounded for each source, counted, and no outage of anybody who has a key."""

from __future__ import annotations

import asyncio
import socket

import pytest

from devices.inventory.models import Plane
from lwm2m.requests import register_request
from southbound.counters import Counters
from southbound.listeners import rates
from southbound.listeners.rates import WINDOW_SECONDS, SourceRates
from southbound.listeners.sockets import PER_WAKE_UP, DrainedSocket
from tests.southbound.client import LINKS, Wire, management


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def allowed(sources: SourceRates, host: str, count: int) -> int:
    return sum(sources.allows(host) for _ in range(count))


def test_a_source_has_so_many_messages_in_a_window_and_then_as_many_again():
    clock = Clock()
    sources = SourceRates(clock, per_host=10, per_network=0)
    assert allowed(sources, "192.0.2.1", 1000) == 10 * WINDOW_SECONDS
    assert allowed(sources, "192.0.2.2", 5) == 5
    clock.now += WINDOW_SECONDS
    assert allowed(sources, "192.0.2.1", 1000) == 10 * WINDOW_SECONDS


@pytest.mark.parametrize(
    ("hosts", "other"),
    [
        ([f"192.0.2.{number}" for number in range(200)], "192.0.3.1"),
        ([f"2001:db8:0:1::{number:x}" for number in range(200)], "2001:db8:0:2::1"),
        ([f"fe80::{number:x}%2" for number in range(200)], "fe80:0:0:1::1%2"),
    ],
)
def test_a_network_has_a_bound_of_its_own(hosts, other):
    sources = SourceRates(Clock(), per_host=10, per_network=50)
    assert sum(allowed(sources, host, 5) for host in hosts) == 50 * WINDOW_SECONDS
    assert allowed(sources, other, 5) == 5


def test_no_bound_where_none_is_wanted():
    sources = SourceRates(Clock(), per_host=0, per_network=0)
    assert allowed(sources, "192.0.2.1", 10_000) == 10_000


def test_sources_that_nobody_can_count_grow_nothing(monkeypatch):
    monkeypatch.setattr(rates, "KEPT", 50)
    sources = SourceRates(Clock(), per_host=10, per_network=10)
    for number in range(2_000):
        assert sources.allows(f"198.51.{number // 250}.{number % 250}") or number % 250 >= 10 * WINDOW_SECONDS
    assert (len(sources._hosts), len(sources._networks)) == (50, 8)


def pair() -> tuple[socket.socket, socket.socket]:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.setblocking(False)
    bound.bind(("127.0.0.1", 0))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(bound.getsockname())
    return bound, sender


def test_what_waits_at_a_secured_socket_is_read_first_and_a_turn_is_bounded():
    async def scene():
        read = []
        (plain_socket, anybody), (secured_socket, known) = pair(), pair()
        plain = DrainedSocket(plain_socket, lambda data, _: read.append(data), Counters())
        secured = DrainedSocket(secured_socket, lambda data, _: read.append(data), Counters())
        plain.first = [secured]
        for _ in range(PER_WAKE_UP * 2):
            anybody.send(b"anybody")
        known.send(b"known")
        loop = asyncio.get_running_loop()
        plain._loop = secured._loop = loop
        plain.drain()
        assert read == [b"known"] + [b"anybody"] * PER_WAKE_UP
        plain._loop = secured._loop = None
        plain.drain()
        assert len(read) == 1 + PER_WAKE_UP
        for one in (plain_socket, anybody, secured_socket, known):
            one.close()

    asyncio.run(scene())


@pytest.mark.django_db(transaction=True)
def test_a_flood_of_one_source_is_dropped_and_another_is_served(play, make_device, settings, monkeypatch):
    make_device("dev-1")
    monkeypatch.setattr(rates, "WINDOW_SECONDS", 3600.0)
    settings.NOSEC_RATE = 1  # 3,600 in the window
    flood = 5_000

    async def scene(southbound):
        wire = await management(southbound)
        for number in range(flood):
            wire.send(b"\x50\x01%c%c" % divmod(number, 256))
            if number % 200 == 0:
                await asyncio.sleep(0.001)
        async with asyncio.timeout(60):
            while not southbound.counters.throttled:
                await asyncio.sleep(0.01)
        loop = asyncio.get_running_loop()
        port = southbound.ports.port_of(Plane.MANAGEMENT, secured=False)
        _, other = await loop.create_datagram_endpoint(
            Wire, remote_addr=("127.0.0.1", port), local_addr=("127.0.0.2", 0)
        )
        Wire.open_ones.append(other)
        answer = await other.ask(register_request(endpoint="dev-1", object_links=LINKS))
        assert answer.code == "2.01"
        assert southbound.counters.datagrams <= 3600 + 1

    play(scene)

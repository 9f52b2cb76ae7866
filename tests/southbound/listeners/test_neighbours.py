"""Records that one process passes to another: all of them, in bursts and over a restart, within bounds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from southbound.counters import Counters
from southbound.listeners import neighbours
from southbound.listeners.neighbours import Neighbours, pack, unpack

ADDRESS = ("2001:db8::1", 5684)


class Process:
    """One of two that share a port; keeps what it was passed."""

    def __init__(self, number: int) -> None:
        self.counters = Counters()
        self.got: list[tuple[bytes, tuple[str, int]]] = []
        self.door = Neighbours(
            number, "management", lambda data, address: self.got.append((data, address)), self.counters
        )
        self.door.start(asyncio.get_running_loop())


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(neighbours, "LOOK_SECONDS", 0.01)


async def has_got(process: Process, count: int) -> None:
    async with asyncio.timeout(60):
        while len(process.got) < count:
            await asyncio.sleep(0.001)


async def knows_of_another(process: Process) -> None:
    async with asyncio.timeout(60):
        while not process.door._others:
            await asyncio.sleep(0.001)


def test_a_burst_arrives_whole_and_in_order():
    async def scene():
        first, second = Process(0), Process(1)
        await knows_of_another(first)
        records = [index.to_bytes(2, "big") * 60 for index in range(20_000)]
        for index, record in enumerate(records):
            if index % 2:
                first.door.offer(record, ADDRESS)
            else:
                first.door.pass_on(1, record, ADDRESS)
        await has_got(second, len(records))
        assert second.got == [(record, ADDRESS) for record in records]
        assert (first.counters.passed_on, first.counters.unsent) == (len(records), 0)
        first.door.close()
        second.door.close()

    asyncio.run(scene())


def test_records_are_offered_without_a_look_at_the_folder(monkeypatch):
    """Anybody can send a record of an unknown session, from any address, at any rate."""

    async def scene():
        first, second = Process(0), Process(1)
        await knows_of_another(first)
        first.door._timer.cancel()
        monkeypatch.setattr(neighbours.Path, "glob", None)
        for _ in range(100):
            first.door.offer(b"unknown", ADDRESS)
        await has_got(second, 100)
        first.door.close()
        second.door.close()

    asyncio.run(scene())


def test_a_neighbour_that_ends_is_offered_nothing_more():
    async def scene():
        first, second = Process(0), Process(1)
        await knows_of_another(first)
        second.door.close()
        async with asyncio.timeout(60):
            while first.door._others:
                await asyncio.sleep(0.001)
        first.door.close()

    asyncio.run(scene())


def test_a_neighbour_that_was_restarted_is_found_again():
    async def scene():
        first, second = Process(0), Process(1)
        first.door.pass_on(1, b"one", ADDRESS)
        await has_got(second, 1)
        second.door.close()
        again = Process(1)
        first.door.pass_on(1, b"two", ADDRESS)
        await has_got(again, 1)
        again.door.close()
        first.door.pass_on(1, b"three", ADDRESS)
        async with asyncio.timeout(60):
            while not first.counters.unsent:
                await asyncio.sleep(0.001)
        assert [data for data, _ in second.got + again.got] == [b"one", b"two"]
        first.door.close()

    asyncio.run(scene())


def test_what_waits_for_a_busy_neighbour_is_bounded(monkeypatch):
    monkeypatch.setattr(neighbours, "WAITING_BYTES", 10_000)

    async def scene():
        first, second = Process(0), Process(1)
        for _ in range(1_000):
            first.door.pass_on(1, b"x" * 100, ADDRESS)
        await has_got(second, 1)
        assert first.counters.unsent > 900
        assert len(second.got) + first.counters.unsent == 1_000
        first.door.close()
        second.door.close()

    asyncio.run(scene())


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 65535)), max_size=5), st.binary(max_size=40)
)
def test_parcels(records, garbage):
    parcel = b"".join(pack(data, ("192.0.2.1", port)) for data, port in records)
    assert list(unpack(parcel)) == [(data, ("192.0.2.1", port)) for data, port in records]
    for data, (host, port) in unpack(garbage):
        assert isinstance(data, bytes)
        assert isinstance(host, str)
        assert isinstance(port, int)

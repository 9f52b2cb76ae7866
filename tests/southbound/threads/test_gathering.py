"""What comes one by one is worked off in batches: nothing twice, and nothing lost without a database."""

from __future__ import annotations

import asyncio

from django.db import OperationalError

from southbound.threads import gathering
from southbound.threads.gathering import Gathering


class Database:
    """Runs what it is given, off the loop as the real one does."""

    async def run(self, work, *args):
        return await asyncio.to_thread(work, *args)


def played(scene) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


def test_batches_are_bounded_and_hold_each_device_once(monkeypatch):
    monkeypatch.setattr(gathering, "BATCH_LIMIT", 3)
    done: list[list[int]] = []

    def work(taken):
        done.append(taken[0])
        return ()

    async def scene():
        gathered = Gathering("test", Database(), work, kinds=1)
        for device_id in (1, 2, 3, 2, 4, 5, 1):
            gathered.add(0, device_id)
        gathered.drop(0, 5)
        while sum(map(len, done)) < 4:
            await asyncio.sleep(0.001)
        await gathered.stop()

    played(scene)
    assert done == [[1, 2, 3], [4]]


def test_without_the_database_the_same_is_tried_again_and_what_is_left_over_comes_last(monkeypatch):
    monkeypatch.setattr(gathering, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(gathering, "BATCH_LIMIT", 2)
    done: list[tuple[list[int], list[int]]] = []
    failures = [OperationalError("away"), OperationalError("away")]

    def work(taken):
        if failures:
            raise failures.pop()
        first, second = taken
        done.append((first, second))
        return ((), [7] if len(done) == 1 else ())

    async def scene():
        gathered = Gathering("test", Database(), work, kinds=2)
        gathered.add(0, 1)
        for device_id in (7, 8, 9):
            gathered.add(1, device_id)
        while len(done) < 2:
            await asyncio.sleep(0.001)
        await gathered.stop()

    played(scene)
    assert done == [([1], [7, 8]), ([], [9, 7])]

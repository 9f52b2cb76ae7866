"""The group commit: grouping, order, overload, and what a failing database or a poisonous message does."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import DataError, OperationalError

from devices.inventory.models import Device, Knock
from devices.registry.models import Registration
from devices.registry.services import registrations
from lwm2m.requests import register_request, update_request
from southbound.counters import Counters
from southbound.threads.group_commit import GroupCommit
from tests.southbound.client import LINKS, management, until


def run(write, scene, **options):
    """Play `scene(commits, answers)`; `answers` is a queue of what was answered."""

    async def main():
        answers: asyncio.Queue = asyncio.Queue()
        counters = Counters()
        commits = GroupCommit(
            write=write,
            **{"name": "test", "answer": lambda *answer: answers.put_nowait(answer), "counters": counters}
            | options,
        )
        commits.start(asyncio.get_running_loop())
        try:
            return await asyncio.wait_for(scene(commits, answers), 10), counters
        finally:
            await commits.stop()

    return asyncio.run(main())


async def take(answers, count):
    return [await answers.get() for _ in range(count)]


@pytest.mark.django_db(transaction=True)
def test_what_arrives_during_a_commit_is_written_by_the_next_one():
    gate, batches = threading.Event(), []

    def write(batch):
        batches.append(list(batch))
        if len(batches) == 1:
            gate.wait(5)
        return [item * 10 for item in batch]

    async def scene(commits, answers):
        commits.submit(1)
        while not batches:
            await asyncio.sleep(0.001)
        for item in (2, 3, 4):
            commits.submit(item)
        assert answers.empty()
        gate.set()
        return await take(answers, 4)

    answered, _ = run(write, scene)
    assert batches == [[1], [2, 3, 4]]
    assert answered == [(1, 10), (2, 20), (3, 30), (4, 40)]


@pytest.mark.django_db(transaction=True)
def test_who_proved_who_they_are_does_not_wait_behind_who_did_not():
    gate, batches = threading.Event(), []

    def write(batch):
        batches.append(list(batch))
        if len(batches) == 1:
            gate.wait(5)
        return batch

    async def scene(commits, answers):
        commits.submit("begin")
        while not batches:
            await asyncio.sleep(0.001)
        for number in range(20):
            commits.submit(f"anybody {number}")
        assert not commits.submit("one too many")
        for number in range(20):
            assert commits.submit(f"known {number}", is_first=True)
        gate.set()
        await take(answers, 41)

    run(write, scene, queue_limit=20, batch_limit=10)
    told = [item for batch in batches[1:] for item in batch]
    assert [item.split()[0] for item in told] == ["known"] * 20 + ["anybody"] * 20


@pytest.mark.django_db(transaction=True)
def test_those_that_go_first_leave_room_for_the_others(monkeypatch):
    monkeypatch.setattr("southbound.threads.group_commit.FIRST_IN_BATCH", 6)
    gate, batches = threading.Event(), []

    def write(batch):
        batches.append(list(batch))
        if len(batches) == 1:
            gate.wait(5)
        return batch

    async def scene(commits, answers):
        commits.submit("begin")
        while not batches:
            await asyncio.sleep(0.001)
        for number in range(20):
            commits.submit(f"known {number}", is_first=True)
            commits.submit(f"anybody {number}")
        gate.set()
        await take(answers, 41)

    run(write, scene, batch_limit=8)
    assert [item.split()[0] for item in batches[1]] == ["known"] * 6 + ["anybody"] * 2


@pytest.mark.django_db(transaction=True)
def test_a_full_queue_takes_nothing_more():
    gate = threading.Event()

    async def scene(commits, answers):
        taken = [commits.submit(item) for item in range(20)]
        gate.set()
        await take(answers, sum(taken))
        return taken

    def write(batch):
        gate.wait(5)
        return batch

    taken, counters = run(write, scene, queue_limit=5, batch_limit=2)
    assert False in taken
    assert counters.overloaded == taken.count(False)


@pytest.mark.django_db(transaction=True)
def test_a_poisonous_message_hurts_only_its_sender():
    def write(batch):
        if "poison" in batch:
            raise DataError("no such character")
        return batch

    gate = threading.Event()

    def gated(batch):
        gate.wait(5)
        return write(batch)

    async def scene(commits, answers):
        for item in ("a", "poison", "b"):
            commits.submit(item)
        gate.set()
        return await take(answers, 3)

    answered, _ = run(gated, scene)
    assert sorted(answered, key=str) == [("a", "a"), ("b", "b"), ("poison", None)]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_fails_the_batch_and_the_next_one_works():
    calls = []

    def write(batch):
        calls.append(len(batch))
        if len(calls) == 1:
            raise OperationalError("gone")
        return batch

    async def scene(commits, answers):
        commits.submit("a")
        first = await take(answers, 1)
        commits.submit("b")
        return first + await take(answers, 1)

    assert run(write, scene)[0] == [("a", None), ("b", "b")]


@pytest.mark.django_db(transaction=True)
def test_stop_commits_what_is_queued():
    written = []

    async def main():
        commits = GroupCommit(
            name="test",
            write=lambda batch: written.extend(batch) or batch,
            answer=lambda item, result: None,
            counters=Counters(),
        )
        commits.start(asyncio.get_running_loop())
        for item in range(100):
            commits.submit(item)
        await commits.stop()
        assert not commits.submit("late")

    asyncio.run(main())
    assert written == list(range(100))


@pytest.mark.django_db(transaction=True)
def test_503_without_a_stored_row_is_not_kept_for_the_repetition(play, make_device, monkeypatch):
    make_device("dev-1")
    real, failures = registrations.apply, [2]

    def failing(**batch):
        if failures[0]:
            failures[0] -= 1
            raise OperationalError("database is away")
        return real(**batch)

    monkeypatch.setattr(registrations, "apply", failing)

    async def scene(southbound):
        wire = await management(southbound)
        data = wire.encode(register_request(endpoint="dev-1", object_links=LINKS))
        first = await wire.ask_raw(data)
        assert first.code == "5.03"
        assert first.message.opt.max_age > 0
        assert await until(lambda: not Registration.objects.exists())
        assert (await wire.ask_raw(data)).code == "5.03"
        assert (await wire.ask_raw(data)).code == "2.01"
        await until(lambda: Knock.objects.filter(cause="STORE_UNAVAILABLE").exists())

    play(scene)
    assert Registration.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_overload_is_503_with_max_age(play, make_device, monkeypatch):
    make_device("dev-1")

    async def scene(southbound):
        monkeypatch.setattr(southbound.requests.commits, "_queue_limit", 0)
        wire = await management(southbound)
        answer = await wire.ask(update_request(("rd", "whatever")))
        assert (answer.code, answer.message.opt.max_age) == ("5.03", 5)
        await until(lambda: Knock.objects.filter(cause="OVERLOADED").exists())

    play(scene)
    assert Device.objects.count() == 1

"""A batch of many devices is not one fate: answers that raise, writers that die, and collisions with other writers."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections, transaction
from psycopg import errors

from coap import Endpoint
from devices.inventory.models import Device
from devices.registry.models import Registration
from lwm2m.requests import register_request, update_request
from southbound.counters import Counters
from southbound.threads import group_commit
from southbound.threads.gathering import Gathering
from southbound.threads.group_commit import GroupCommit
from southbound.threads.guard import Guard
from tests.southbound.client import LINKS, management, until
from tests.southbound.threads.test_group_commit import run, take

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="locks of rows")


def deadlock() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = errors.DeadlockDetected("deadlock detected")
    return error


# -- answers -------------------------------------------------------------------------------------------------
def registered(wire, number):
    return wire.ask(register_request(endpoint=f"dev-{number}", object_links=LINKS))


async def in_one_batch(southbound, monkeypatch, wires, datagrams):
    """Send these so that they are written together; returns how many there were."""
    gate, sizes, write = threading.Event(), [], southbound.requests.commits._write

    def gated(batch):
        gate.wait(10)
        sizes.append(len(batch))
        return write(batch)

    monkeypatch.setattr(southbound.requests.commits, "_write", gated)
    before = southbound.counters.datagrams
    for wire, datagram in zip(wires, datagrams, strict=True):
        wire.send(datagram)
    while southbound.counters.datagrams - before < len(datagrams):
        await asyncio.sleep(0.01)
    gate.set()
    answers = [await wire.next() for wire in wires]
    monkeypatch.setattr(southbound.requests.commits, "_write", write)
    assert max(sizes) > 1
    return answers


@pytest.fixture
def six(make_device):
    return [make_device(f"dev-{number}") for number in range(6)]


def test_what_follows_an_answer_and_raises_is_one_devices_fate(play, six, monkeypatch):
    async def scene(southbound):
        wires = [await management(southbound) for _ in six]
        places = [(await registered(wire, number)).location for number, wire in enumerate(wires)]
        followed, real = [], southbound.requests._on_applied

        def on_applied(applied):
            if applied.device_id == six[0].pk:
                raise RuntimeError("a mistake of ours, for one device")
            followed.append(applied.device_id)
            real(applied)

        monkeypatch.setattr(southbound.requests, "_on_applied", on_applied)
        datagrams = [wire.encode(update_request(place)) for wire, place in zip(wires, places, strict=True)]
        answers = await in_one_batch(southbound, monkeypatch, wires, datagrams)
        assert [answer[1] for answer in answers] == [0x44] * 6
        await until(lambda: len(followed) == 5)

    play(scene)


def test_of_six_answers_of_which_one_cannot_be_given_five_are_and_the_one_may_be_repeated(
    play, six, monkeypatch
):
    async def scene(southbound):
        wires = [await management(southbound) for _ in six]
        places = [(await registered(wire, number)).location for number, wire in enumerate(wires)]
        datagrams = [wire.encode(update_request(place)) for wire, place in zip(wires, places, strict=True)]
        poisonous, answer = datagrams[1][2:4], Endpoint.answer

        def broken_answer(endpoint, asked, code, **said):
            if asked.mid == int.from_bytes(poisonous) and code == 0x44:
                raise RuntimeError("a mistake of ours, for one answer")
            return answer(endpoint, asked, code, **said)

        monkeypatch.setattr(Endpoint, "answer", broken_answer)
        answers = await in_one_batch(southbound, monkeypatch, wires, datagrams)
        assert [answer[1] for answer in answers] == [0x44, 0xA3, 0x44, 0x44, 0x44, 0x44]
        monkeypatch.setattr(Endpoint, "answer", answer)
        wires[1].send(datagrams[1])  # the same message again is a new attempt
        assert (await wires[1].next())[1] == 0x44

    play(scene)
    assert Registration.objects.filter(is_live=True).count() == 6


# -- writers -------------------------------------------------------------------------------------------------
def test_too_few_results_leave_the_writer_alive():
    results = [[], ["b"]]

    async def scene(commits, answers):
        commits.submit("a")
        assert await take(answers, 1) == [("a", None)]
        commits.submit("b")
        return await take(answers, 1)

    assert run(lambda batch: results.pop(0), scene)[0] == [("b", "b")]


def test_a_connection_that_cannot_be_closed_leaves_the_writer_alive(monkeypatch):
    failures = [OperationalError("gone")]

    def write(batch):
        if failures:
            connection.ensure_connection()
            monkeypatch.setattr(connections["default"], "close", broken_close)
            raise failures.pop()
        return batch

    def broken_close():
        raise RuntimeError("close failed")

    async def scene(commits, answers):
        commits.submit("a")
        assert await take(answers, 1) == [("a", None)]
        commits.submit("b")
        return await take(answers, 1)

    assert run(write, scene)[0] == [("b", "b")]


def test_a_writer_that_dies_takes_nothing_more_and_says_so():
    class Death(BaseException):
        pass

    def write(batch):
        raise Death("out of memory, say")

    async def main():
        guard = Guard()
        guard.start(asyncio.get_running_loop())
        commits = GroupCommit(
            name="test", write=write, answer=lambda item, result: None, counters=Counters(), guard=guard
        )
        commits.start(asyncio.get_running_loop())
        commits.submit("a")
        words = await asyncio.wait_for(guard.wait(), 10)
        return words, commits.submit("b"), commits._thread.name

    words, is_taken, name = asyncio.run(main())
    assert words == "commit test died (Death: out of memory, say)"
    assert not is_taken
    assert name == "commit test"


def test_a_standing_task_that_ends_is_told_unless_the_process_stops():
    async def main():
        guard = Guard()
        guard.start(asyncio.get_running_loop())

        async def ends():
            return None

        task = asyncio.create_task(ends(), name="southbound _beat")
        guard.watch(task)
        words = await asyncio.wait_for(guard.wait(), 10)

        quiet = Guard()
        quiet.start(asyncio.get_running_loop())
        quiet.stand_down()
        asked = asyncio.create_task(ends(), name="asked to")
        quiet.watch(asked)
        await asked
        await asyncio.sleep(0)
        return words, quiet.words

    assert asyncio.run(main()) == ("southbound _beat died (it just ended)", "")


def test_each_writer_has_a_name_of_its_own(play):
    async def scene(southbound):
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("commit ")]

    names = play(scene)
    assert len(names) == len(set(names)) >= 5


def test_the_process_ends_loudly_when_a_part_of_it_died(transactional_db, settings, monkeypatch, tmp_path):
    settings.DATA_DIR, settings.BIND_ADDRESS = tmp_path, "127.0.0.1"
    settings.COAP_PORT = settings.COAPS_PORT = 0
    settings.BOOTSTRAP_COAP_PORT = settings.BOOTSTRAP_COAPS_PORT = settings.COAP_FILES_PORT = 0
    from southbound.process.worker import Southbound

    async def listen(self):
        self.guard.died("southbound _listen", RuntimeError("a mistake of ours"))
        await asyncio.sleep(60)

    monkeypatch.setattr(Southbound, "_listen", listen)
    monkeypatch.setattr("asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler", lambda *args: None)
    with pytest.raises(CommandError, match=r"_listen died .*a mistake of ours.*start it again") as caught:
        call_command("southbound")
    assert caught.value.returncode == 70


# -- collisions ----------------------------------------------------------------------------------------------
def test_a_lost_deadlock_is_tried_again_and_nobody_hears_of_it(monkeypatch):
    monkeypatch.setattr(group_commit, "BACK_OFF_SECONDS", 0)
    lost = [deadlock(), deadlock()]

    def write(batch):
        if lost:
            raise lost.pop()
        return batch

    async def scene(commits, answers):
        commits.submit("a")
        return await take(answers, 1)

    answered, counters = run(write, scene)
    assert answered == [("a", "a")]
    assert (counters.deadlocks, counters.failed_batches) == (2, 0)


@on_postgresql
def test_who_waits_for_somebodys_lock_waits_alone(make_device):
    devices = [make_device(f"dev-{number}") for number in range(8)]
    held, free, gate = threading.Event(), threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Device.objects.select_for_update().get(pk=devices[3].pk)
            held.set()
            free.wait(30)
        connections.close_all()

    def write(batch):
        gate.wait(10)
        with transaction.atomic(), connection.cursor() as cursor:
            if len(batch) == 8:
                cursor.execute("SET LOCAL lock_timeout = 50")
            for pk in batch:
                cursor.execute("UPDATE inventory_device SET name = 'seen' WHERE id = %s", [pk])
        return batch

    async def scene(commits, answers):
        for device in devices:
            commits.submit(device.pk)
        gate.set()
        return await take(answers, 8)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        answered, counters = run(write, scene)
    finally:
        free.set()
        thread.join()
    assert [item for item, result in answered if result is None] == [devices[3].pk]
    assert counters.committed == 7
    assert Device.objects.filter(name="seen").count() == 7


# -- gathering -----------------------------------------------------------------------------------------------
def test_one_device_that_nothing_can_be_done_with_keeps_none_of_the_others():
    worked = []

    def work(taken):
        if any(7 in ids for ids in taken):
            raise ValueError("its row is unreadable")
        worked.extend(taken)
        return ([], [])

    class AtOnce:
        async def run(self, service, *args):
            return service(*args)

    async def main():
        gathering = Gathering("test", AtOnce(), work, kinds=2)
        for device_id in (5, 7, 9):
            gathering.add(0, device_id)
        gathering.add(1, 7)
        await gathering._task

    asyncio.run(main())
    assert [ids for ids in worked if ids] == [[5], [9]]

"""The sealer: every event gets one place, whatever the order of commits and however many seal at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import events, ledger, locks, rows, sealing, tasks
from audit.models import LedgerEvent, LedgerHead
from audit.verification import verify_chain
from tests.audit.conftest import CHAIN, kinds
from tests.audit.test_concurrency import in_thread

ROOT = Path(__file__).parents[2]
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")


def record(action: str = "one", chain: int = CHAIN) -> None:
    ledger.record(action=action, operator_id=chain)


def places(chain: int = CHAIN) -> list[tuple[int | None, str]]:
    return list(
        LedgerEvent.objects.filter(chain=chain).order_by("sequence").values_list("sequence", "action")
    )


def is_whole(chain: int = CHAIN) -> bool:
    report = verify_chain(chain)
    return (kinds(report), report.unsealed) == ([], 0)


@pytest.mark.django_db
def test_batches_join_without_a_seam(monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 3)
    ledger.record_many([ledger.Event(action="one", operator_id=chain) for chain in (1, 2) for _ in range(10)])
    assert sealing.run() == 20
    assert [sequence for sequence, _ in places(1)] == list(range(1, 11))
    assert is_whole(1)
    assert is_whole(2)


@pytest.mark.django_db
def test_the_task_seals_and_what_it_is_called_is_what_is_rung():
    record()
    tasks.seal()
    assert tasks.seal.name == events.SEAL
    assert is_whole()


@pytest.mark.django_db
def test_a_run_is_bounded_and_the_next_one_goes_on(monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 2)
    monkeypatch.setattr(sealing, "monotonic", count().__next__)  # a second for each batch
    ledger.record_many([ledger.Event(action="one", operator_id=CHAIN)] * 10)
    assert [sealing.run(seconds=3) for _ in range(3)] == [4, 4, 2]
    assert is_whole()


@pytest.mark.django_db
def test_the_last_chain_is_not_always_the_one_that_is_left(monkeypatch):
    for chain in range(1, 31):
        record(chain=chain)
    monkeypatch.setattr(sealing, "BATCH", 1)
    monkeypatch.setattr(sealing, "monotonic", count().__next__)
    first = set()
    for _ in range(60):
        with transaction.atomic():
            assert sealing.run(seconds=2) == 1
            first.update(LedgerEvent.objects.exclude(sequence=None).values_list("chain", flat=True))
            transaction.set_rollback(True)
    assert len(first) > 1


def test_a_sealer_with_too_much_to_do_leaves_its_worker_to_the_sweeps_for_a_while(monkeypatch):
    now, turns = [1000.0], []

    def run(*, seconds: float) -> None:
        turns.append(now[0])
        now[0] += seconds

    monkeypatch.setattr(sealing, "run", run)
    monkeypatch.setattr(tasks, "monotonic", lambda: now[0])
    monkeypatch.setattr(tasks, "_resting_until", 0.0)
    for _ in range(80):  # rung, each as long after the one before as an empty task takes
        tasks.seal()
        now[0] += 0.01
    assert turns == pytest.approx([1000.0, 1000.0 + tasks.TURN_SECONDS + tasks.REST_SECONDS], abs=0.02)


@pytest.mark.django_db
def test_a_chain_that_cannot_be_sealed_stops_no_other(caplog):
    for chain in (1, 2):
        record(chain=chain)
    sealing.run()
    for chain in (1, 2):
        record(chain=chain)
    LedgerHead.objects.filter(pk=1).update(sequence=2**63 - 1)
    sealing.run()
    assert is_whole(2)
    assert "sealing_failed key=1" in caplog.text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)), looks=st.lists(st.booleans(), min_size=6, max_size=6))
@pytest.mark.django_db
def test_ids_in_whatever_order_they_commit_are_each_sealed_once(order, looks):
    """An id that becomes visible late stands further back in the chain; none is left out."""
    with transaction.atomic():
        ledger.record_many([ledger.Event(action=f"a{number}", operator_id=CHAIN) for number in range(6)])
        by_id = list(LedgerEvent.objects.order_by("id").values_list("pk", flat=True))
        seen: list[int] = []
        look = rows.unsealed

        def committed(chain, *, limit, connection):
            return [one for one in look(chain, limit=limit, connection=connection) if one.id in seen]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "unsealed", committed)
            expected: list[int] = []
            for number, is_looked in zip(order, looks, strict=True):
                seen.append(by_id[number])
                if is_looked:
                    expected += sorted(set(seen) - set(expected))
                    sealing.run()
            expected += sorted(set(seen) - set(expected))
            sealing.run()
        sealed = LedgerEvent.objects.order_by("sequence").values_list("sequence", "pk")
        assert list(sealed) == list(enumerate(expected, start=1))
        assert is_whole()
        transaction.set_rollback(True)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_deed_that_commits_late_with_a_lower_id_is_sealed_after():
    inserted, may_commit = threading.Event(), threading.Event()

    def late() -> None:
        with ledger.unit_of_work():
            record("late")
            inserted.set()
            assert may_commit.wait(30)

    with ThreadPoolExecutor(1) as pool:
        deed = pool.submit(in_thread(late))
        assert inserted.wait(30)
        record("early")
        assert sealing.run() == 1
        may_commit.set()
        deed.result(30)
    assert sealing.run() == 1
    assert places() == [(1, "early"), (2, "late")]
    first, second = LedgerEvent.objects.order_by("sequence").values_list("id", flat=True)
    assert second < first
    assert is_whole()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_no_deed_waits_for_the_sealer_nor_a_sealer_for_another():
    record("one")
    sealing.run()
    record("two")
    locked, may_go = threading.Event(), threading.Event()

    def holding() -> None:
        with transaction.atomic():
            assert locks.rows(LedgerHead.objects.filter(pk=CHAIN)).get()
            locked.set()
            assert may_go.wait(30)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(in_thread(holding))
        assert locked.wait(30)
        try:
            record("three")  # would wait for ever, as its writer goes on only afterwards
            assert sealing.run() == 0
            assert LedgerEvent.objects.filter(sequence=None).count() == 2
        finally:
            may_go.set()
        holder.result(30)
    assert sealing.run() == 2
    assert places() == [(1, "one"), (2, "two"), (3, "three")]
    assert is_whole()


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_many_sealers_leave_one_whole_chain():
    done = threading.Event()

    def write(writer: int) -> None:
        for number in range(25):
            with ledger.unit_of_work():
                record(f"{writer}.{number}")

    def seal() -> None:
        while not done.is_set():
            sealing.run()

    with ThreadPoolExecutor(6) as pool:
        sealers = [pool.submit(in_thread(seal)) for _ in range(3 if connection.vendor == "postgresql" else 1)]
        list(pool.map(in_thread(write), range(3)))
        done.set()
        for sealer in sealers:
            sealer.result(60)
    sealing.run()
    assert len(places()) == 75
    assert is_whole()


KILLED = """
import os, signal, django
django.setup()
from django.db import connection
from audit import rows, sealing
connection.settings_dict["NAME"] = os.environ["TEST_NAME"]
seal = rows.seal
def killed(seals, *, connection):
    seal(seals, connection=connection)
    os.kill(os.getpid(), signal.SIGKILL)
rows.seal = killed
sealing.run()
"""


@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_is_killed_in_mid_batch_leaves_everything_to_the_next():
    for number in range(5):
        record(f"a{number}")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "m2m_portal.settings",
        "TEST_NAME": str(connection.settings_dict["NAME"]),
    }
    ended = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, env=environment, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert LedgerEvent.objects.filter(sequence=None).count() == 5
    assert sealing.run() == 5
    assert is_whole()


@pytest.mark.django_db(transaction=True)
def test_a_commit_rings_once_it_is_through_and_a_broker_that_is_away_costs_it_nothing(monkeypatch, caplog):
    rung, tried = threading.Event(), threading.Event()

    class App:
        def send_task(self, name, **options):
            assert name == events.SEAL
            assert LedgerEvent.objects.exists()
            connection.close()
            tried.set()
            if not rung.is_set():
                rung.set()
                raise ConnectionError("no broker")

    monkeypatch.setattr(events, "current_app", App())
    monkeypatch.setattr(events, "QUIET_SECONDS", 0.0)
    record()
    assert rung.wait(30)
    tried.clear()
    record()
    assert tried.wait(30)
    assert "seal_ring_lost" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_deed_that_committed_is_done_though_nobody_can_be_rung(monkeypatch):
    class Exhausted:
        def is_ours(self) -> bool:
            return False

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(events, "_ringer", Exhausted())
    monkeypatch.setattr(events, "_Ringer", Exhausted)
    record()
    assert LedgerEvent.objects.count() == 1

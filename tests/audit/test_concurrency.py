"""Writers side by side leave unbroken chains and never wait for each other in a circle."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import OperationalError, connection

from audit import ledger
from audit.models import LedgerEvent
from tests.audit.conftest import verified

WRITERS, UNITS = 6, 12
CHAINS = (None, 1, 2, 3)


def in_thread(work):
    """Runs the work and closes the thread's connection after it."""

    def run(*arguments):
        try:
            return work(*arguments)
        finally:
            connection.close()

    return run


def write(writer: int) -> int:
    dice = random.Random(writer)
    written = 0
    for number in range(UNITS):
        written += in_unit(f"{writer}.{number}", dice.sample(CHAINS, k=3), fails=dice.random() < 0.2)
    return written


def in_unit(action: str, chains: list[int | None], *, fails: bool) -> int:
    """Tries again where SQLite keeps the test database in memory: there it does not wait for locks."""
    while True:
        try:
            with ledger.unit_of_work():
                for chain in chains:
                    ledger.record(action=action, operator_id=chain)
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            return 0
        except OperationalError as error:
            if connection.vendor != "sqlite" or "locked" not in str(error):
                raise
        else:
            return len(chains)


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_leave_unbroken_chains():
    with ThreadPoolExecutor(WRITERS) as pool:
        written = sum(pool.map(in_thread(write), range(WRITERS)))
    assert LedgerEvent.objects.count() == written > 0
    assert [verified(chain or 0) for chain in CHAINS] == [[], [], [], []]


@pytest.mark.django_db(transaction=True)
def test_the_first_events_of_many_new_chains_at_once():
    def first(writer: int) -> None:
        chains = list(range(1, 21))
        random.Random(writer).shuffle(chains)
        in_unit("first", chains, fails=False)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(in_thread(first), range(WRITERS)))
    assert LedgerEvent.objects.count() == WRITERS * 20
    assert all(verified(chain) == [] for chain in range(1, 21))


@pytest.mark.django_db(transaction=True)
def test_a_real_rollback_leaves_no_trace():
    with suppress(ZeroDivisionError), ledger.unit_of_work():
        ledger.record(action="lost", operator_id=1)
        raise ZeroDivisionError
    ledger.record(action="kept", operator_id=1)
    assert LedgerEvent.objects.get().action == "kept"
    assert connection.run_on_commit == []

"""Lets Django's test runner clean the test database although the ledger refuses to be deleted.

Tests that commit are followed by a flush of all tables, which the ledger's triggers refuse. This fixture
lifts the triggers for that flush and for nothing else; the portal itself has no such way. It works wherever
the fixture is known, so `tests/conftest.py` imports it.
"""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import TransactionTestCase

from audit import triggers


@pytest.fixture(scope="session", autouse=True)
def flush_may_empty_the_ledger() -> Iterator[None]:
    flush = TransactionTestCase._fixture_teardown

    def lift_and_flush(self: TransactionTestCase) -> None:
        databases = [connections[alias] for alias in self._databases_names(include_mirrors=False)]
        for connection in databases:
            triggers.remove(connection)
        try:
            flush(self)
        finally:
            for connection in databases:
                triggers.install(connection)

    TransactionTestCase._fixture_teardown = lift_and_flush
    yield
    TransactionTestCase._fixture_teardown = flush

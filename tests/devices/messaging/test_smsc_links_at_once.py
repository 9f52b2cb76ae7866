"""Two people set up an operator's first SMSC link in the same moment: both are told that it was saved."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections

from accounts.models import Operator
from audit import ledger
from audit.models import LedgerEvent
from devices.messaging.models import SmscLink
from devices.messaging.services import smsc_links

WAIT = 60
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
@pytest.mark.django_db(transaction=True)
def test_the_later_changes_what_the_earlier_made():
    operator = Operator.objects.create(slug="lab", name="Lab")
    made, problems = threading.Event(), []

    def earlier() -> None:
        try:
            with ledger.unit_of_work():
                smsc_links.save(operator=operator, host="127.0.0.1", system_id="earlier", address="2772")
                made.set()
                until_somebody_waits()
        except Exception as problem:
            problems.append(problem)
        finally:
            made.set()
            connections.close_all()

    thread = threading.Thread(target=earlier)
    thread.start()
    assert made.wait(WAIT)
    smsc_links.save(operator=operator, host="127.0.0.1", system_id="later", address="2773")
    thread.join()
    assert problems == []
    link = SmscLink.objects.get()
    assert (link.system_id, link.address) == ("later", "2773")
    told = LedgerEvent.objects.filter(action__startswith="smsc_link.").order_by("id")
    assert list(told.values_list("action", "after__system_id")) == [
        ("smsc_link.made", "earlier"),
        ("smsc_link.changed", "later"),
    ]
    assert told.last().before["system_id"] == "earlier"


def until_somebody_waits() -> None:
    ends = threading.Event()
    for _ in range(WAIT * 20):
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            if cursor.fetchone()[0]:
                return
        ends.wait(0.05)
    raise AssertionError("nobody came")

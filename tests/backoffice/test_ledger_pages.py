"""Pages of the ledger: each event once, an end, and no counting of all there is."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from audit import entries, ledger, sealing
from audit.models import LedgerEvent
from backoffice import ledger as audit_admin

pytestmark = pytest.mark.django_db
EVENTS = 1_500


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.com", "a long password 1")


@pytest.fixture
def at_once():
    now = timezone.now()
    ledger.record_many(
        [ledger.Event(action="registration.expired", operator_id=None, at=now) for _ in range(EVENTS)]
    )


def test_thousands_of_one_moment_are_each_on_one_page_and_the_pages_end(root, at_once):
    client = APIClient()
    client.force_authenticate(root)
    seen, page = [], "/api/v1/audit/events/?page_size=100&action=registration.expired"
    for _ in range(EVENTS // 100 + 5):
        answer = client.get(page).json()
        seen += [event["id"] for event in answer["results"]]
        page = answer["next"]
        if page is None:
            break
    assert page is None
    assert len(seen) == len(set(seen)) == EVENTS
    assert seen == sorted(seen, reverse=True)


def test_the_admin_counts_no_further_than_one_leafs(root, at_once, monkeypatch):
    monkeypatch.setattr(audit_admin, "_LEAFED", 120)
    client = Client()
    client.force_login(root)
    with CaptureQueriesContext(connection) as queries:
        first = client.get("/admin/audit/ledgerevent/")
    assert first.context["cl"].result_count == 120
    counting = [one["sql"] for one in queries if "COUNT(" in one["sql"] and "audit_ledgerevent" in one["sql"]]
    assert counting
    assert all("LIMIT 120" in sql for sql in counting)
    assert client.get("/admin/audit/ledgerevent/?p=3").status_code == 200
    newest = LedgerEvent.objects.order_by("-id").first()
    assert str(newest.pk) in client.get("/admin/audit/ledgerevent/").content.decode()


def test_the_admin_says_in_words_what_happened_and_when_to_the_second(root, monkeypatch):
    monkeypatch.setattr(entries, "_ACTIONS", {"signin.ok", "something.of_long_ago"})
    at = timezone.now().replace(microsecond=0)
    for action in ("signin.ok", "something.of_long_ago"):
        ledger.record_many([ledger.Event(action=action, operator_id=None, at=at)])
    client = Client()
    client.force_login(root)
    page = client.get("/admin/audit/ledgerevent/").content.decode()
    assert "Signed in" in page
    assert "Something of long ago" in page
    assert timezone.localtime(at).strftime("%H:%M:%S") in page


def test_an_event_is_on_its_page_before_it_is_sealed(root):
    ledger.record(action="operator.changed", operator_id=None)
    event = LedgerEvent.objects.get()
    client = Client()
    client.force_login(root)
    path = f"/admin/audit/ledgerevent/{event.pk}/change/"
    assert "not sealed yet" in client.get(path).content.decode()
    sealing.run()
    page = client.get(path).content.decode()
    assert "not sealed yet" not in page
    assert LedgerEvent.objects.get(pk=event.pk).hash in page

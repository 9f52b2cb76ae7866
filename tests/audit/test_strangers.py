"""Who is not known fills no chain: so many events an hour of each kind, the rest as one with its number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Operator
from audit import held_back, ledger, strangers, tasks
from audit.entries import Event
from audit.models import LedgerEvent, StrangerTally

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)


@pytest.fixture
def operator():
    return Operator.objects.create(slug="lab", name="Lab")


def refused(
    operator: Operator, device_id: int = 7, cause: str = "NOSEC_NOT_ALLOWED", at: datetime = NOON
) -> Event:
    return Event(
        by_stranger=True,
        at=at,
        action="device.refused",
        operator_id=operator.pk,
        device_id=device_id,
        target=f"dev-{device_id}",
        cause=cause,
        result="refused",
    )


def record(*events: Event) -> int:
    """How many of these were written."""
    before = LedgerEvent.objects.count()
    ledger.record_many(events)
    return LedgerEvent.objects.count() - before


def written(operator: Operator) -> int:
    return LedgerEvent.objects.filter(operator_id=operator.pk, action="device.refused").count()


def test_beyond_its_budget_a_device_and_cause_is_counted(operator):
    for _ in range(50):
        record(refused(operator))
    assert written(operator) == strangers.PER_SUBJECT
    assert record(refused(operator, cause="DEVICE_SUSPENDED")) == 1, "another cause"
    assert record(refused(operator, device_id=8)) == 1, "another device"
    assert record(refused(operator, at=NOON + timedelta(hours=1))) == 1, "another hour"


def test_what_was_held_back_is_told_once_with_its_number(operator):
    for _ in range(50):
        record(refused(operator))
    assert held_back.tell(now=NOON) == 0, "the hour is not over"
    assert held_back.tell(now=NOON + timedelta(hours=2)) == 2, "its own tally and its operator's"
    told = LedgerEvent.objects.latest("id")
    assert (told.action, told.cause, told.result) == ("device.refused", "NOSEC_NOT_ALLOWED", "refused")
    assert (told.device_id, told.target, told.actor_kind) == (7, "dev-7", "system")
    assert told.detail == {"held_back": 50 - strangers.PER_SUBJECT, "hour": "2026-03-01T12:00:00+00:00"}
    tasks.tell_held_back()
    assert LedgerEvent.objects.latest("id") == told
    assert not StrangerTally.objects.exists()


def test_one_operators_budget_is_for_all_its_devices_and_for_no_other_operator(operator, monkeypatch):
    monkeypatch.setattr(strangers, "PER_OPERATOR", 20)
    other = Operator.objects.create(slug="other", name="Other")
    many = [refused(operator, device_id=number) for number in range(100)]
    assert record(*many) == 20
    assert record(refused(other)) == 1
    held_back.tell(now=NOON + timedelta(hours=2))
    summed = LedgerEvent.objects.filter(operator_id=operator.pk, action="device.refused", actor_kind="system")
    assert sum((event.detail or {}).get("held_back", 0) for event in summed) == 80


def test_of_nobody_it_is_the_platforms(operator):
    event = Event(
        action="signin.failed",
        operator_id=None,
        result="refused",
        cause="CREDENTIALS_WRONG",
        by_stranger=True,
        at=NOON,
    )
    for _ in range(30):
        record(event)
    assert LedgerEvent.objects.filter(chain=0, action="signin.failed").count() == strangers.PER_SUBJECT
    held_back.tell(now=NOON + timedelta(hours=2))
    assert LedgerEvent.objects.latest("id").detail["held_back"] == 30 - strangers.PER_SUBJECT

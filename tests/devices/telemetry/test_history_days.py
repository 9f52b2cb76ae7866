"""History by day on PostgreSQL: whole days go, the rest goes by rows, and every time has a place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from audit import partitions
from devices.inventory.models import Device
from devices.telemetry.history_table import HISTORY, days_ahead
from devices.telemetry.models import HistoryRetention, ResourceHistory
from devices.telemetry.services import history_days, retention, values
from devices.telemetry.services.values import Sample
from tests.devices import making

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one table"),
]
NOW = timezone.now()


def store(device: Device, at: datetime, number: float = 1.0) -> None:
    values.store(samples=[Sample(device.pk, "/3303/0/5700", number, at.timestamp())], now=NOW)


def stand_in() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM telemetry_resourcehistory ORDER BY at")
        return [name for (name,) in cursor.fetchall()]


def day(at: datetime) -> str:
    return f"telemetry_resourcehistory_{at:%Y%m%d}"


def pieces() -> list[str]:
    return [piece.name for piece in partitions.pieces(connection, HISTORY.table)]


def test_migrate_leaves_room_for_the_days_to_come():
    assert {day(NOW + timedelta(days=number)) for number in range(-1, 4)} <= set(pieces())


def test_a_value_of_any_time_has_a_place_and_a_second_one_takes_the_place_of_the_first():
    device = making.device()
    for at in (NOW - timedelta(days=700), NOW, NOW + timedelta(days=9000)):
        store(device, at)
        store(device, at, number=2.0)
    assert stand_in() == ["telemetry_resourcehistory_default", day(NOW)], "a clock that is ahead is wrong"
    assert set(ResourceHistory.objects.values_list("number", flat=True)) == {2.0}


def test_a_day_that_nobody_keeps_is_dropped_whole():
    device, later = making.device(), NOW + timedelta(days=31)
    store(device, NOW)
    assert retention.prune(now=NOW + timedelta(days=30)) == 0
    assert ResourceHistory.objects.count() == 1
    assert retention.prune(now=later + timedelta(days=1)) == 0, "it goes without being looked at"
    assert not ResourceHistory.objects.exists()
    assert day(NOW) not in pieces()
    assert day(later) in pieces(), "and there is room for the days to come"


def test_whoever_keeps_less_is_pruned_by_rows_and_whoever_keeps_longest_keeps_it():
    short, long = making.device(), making.device(making.operator(slug="long"))
    HistoryRetention.objects.create(operator=short.operator, days=2)
    for device in (short, long):
        store(device, NOW)
        store(device, NOW - timedelta(days=400))
    later = NOW + timedelta(days=3)
    assert retention.prune(now=later) == 3
    assert list(ResourceHistory.objects.values_list("value__device", flat=True)) == [long.pk]


def test_where_nobody_keeps_any_history_none_of_today_stays():
    device = making.device()
    HistoryRetention.objects.create(operator=device.operator, days=0)
    store(device, NOW)
    assert retention.prune(now=NOW + timedelta(seconds=1)) == 1
    assert not ResourceHistory.objects.exists()


def test_values_without_a_day_go_so_many_in_a_run(monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 2)
    device = making.device()
    for number in range(5):
        store(device, NOW - timedelta(days=400 + number))
    left = []
    for _ in range(3):
        retention.prune(now=NOW, chunks=1)
        left.append(ResourceHistory.objects.count())
    assert left == [3, 1, 0]


def test_who_keeps_for_years_gets_months():
    device = making.device()
    HistoryRetention.objects.create(operator=device.operator, days=3660)
    month = datetime(2031, 5, 1, 12, tzinfo=UTC)
    assert history_days.ahead(connection, now=month + timedelta(days=1)) == [
        "telemetry_resourcehistory_203105"
    ]
    assert history_days.ahead(connection, now=month + timedelta(days=29)) == [
        "telemetry_resourcehistory_203106"
    ]


def test_months_begin_where_no_days_are_left():
    at = datetime(2031, 5, 30, 12, tzinfo=UTC)
    partitions.add(connection, HISTORY, days_ahead(at))
    assert pieces()[-1] == "telemetry_resourcehistory_20310602"
    made = partitions.add(connection, HISTORY, days_ahead(at + timedelta(days=30), is_wide=True))
    assert made == [
        f"telemetry_resourcehistory_{name}" for name in ("20310628", "20310629", "20310630", "203107")
    ]


def test_the_operator_who_keeps_longest_decides():
    assert history_days.longest() == timedelta(days=30), "nobody there: what is kept by default"
    operator = making.device().operator
    HistoryRetention.objects.create(operator=operator, days=5)
    assert history_days.longest() == timedelta(days=5)
    making.operator(slug="silent")
    assert history_days.longest() == timedelta(days=30)
    HistoryRetention.objects.update(days=90)
    assert history_days.longest() == timedelta(days=90)


def test_a_page_of_recent_values_reads_its_days_alone():
    device = making.device()
    store(device, NOW)
    recent = ResourceHistory.objects.filter(value__device=device, at__gte=NOW - timedelta(minutes=1))
    plan = recent.explain()
    assert day(NOW) in plan
    assert day(NOW - timedelta(days=1)) not in plan
    assert HISTORY.default in plan

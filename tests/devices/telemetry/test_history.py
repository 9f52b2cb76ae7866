"""History: as a chart wants it, as long as the operator keeps it, and the tree of what a device has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.errors import Refused
from devices.telemetry.models import ResourceHistory
from devices.telemetry.selectors import series
from devices.telemetry.selectors import values as trees
from devices.telemetry.services import retention, values
from devices.telemetry.services.values import Sample

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fill(device: Any, count: int, value: Any = float, path: str = "/3303/0/5700") -> None:
    start = (NOW - HOUR).timestamp()
    samples = [Sample(device.pk, path, value(n), start + n * 3600 / count) for n in range(count)]
    values.store(samples=samples, now=NOW)


def test_few_values_stand_for_themselves(device):
    fill(device, 5)
    found = series.series(device, "/3303/0/5700", since=NOW - HOUR, until=NOW, max_points=5)
    assert found.span_seconds == 0
    assert [point.value for point in found.points] == [0, 1, 2, 3, 4]


def test_many_numbers_become_spans(device, django_assert_max_num_queries):
    fill(device, 1000)
    with django_assert_max_num_queries(3):
        found = series.series(device, "/3303/0/5700", since=NOW - HOUR, until=NOW, max_points=10)
    assert found.span_seconds == 360
    assert len(found.points) == 10
    assert sum(point.count for point in found.points) == 1000
    first, last = found.points[0], found.points[-1]
    assert (first.at, first.low, first.high, first.value) == (NOW - HOUR, 0, 99, 99)
    assert (last.low, last.high, last.value) == (900, 999, 999)


def test_of_many_texts_the_last_are_kept(device):
    fill(device, 20, value=lambda n: f"state {n}")
    found = series.series(device, "/3303/0/5700", since=NOW - HOUR, until=NOW, max_points=3)
    assert [point.value for point in found.points] == ["state 17", "state 18", "state 19"]


def test_a_path_without_history_is_empty(device):
    assert series.series(device, "/3/0/9", since=NOW - HOUR, until=NOW).points == ()


def test_history_goes_when_its_operator_says(device, make, south):
    theirs = make("urn:dev:south", "", operator=south, subscriber=None)
    for one in (device, theirs):
        values.store(
            samples=[
                Sample(one.pk, "/3/0/9", days, (NOW - timedelta(days=days)).timestamp())
                for days in (1, 20, 40)
            ],
            now=NOW,
        )
    retention.set_days(operator=south, days=10)
    assert retention.prune(now=NOW) == 3
    left = ResourceHistory.objects.order_by("value__device_id", "at").values_list(
        "value__device_id", "number"
    )
    assert list(left) == [(device.pk, 20), (device.pk, 1), (theirs.pk, 1)]
    with pytest.raises(Refused):
        retention.set_days(operator=south, days=-1)


def test_the_tree_is_what_was_announced_and_what_was_told(device, django_assert_max_num_queries):
    samples = [
        Sample(device.pk, "/3/0/0", "Acme", 1.0),
        Sample(device.pk, "/3/0/6/0", 1, 1.0),
        Sample(device.pk, "/3/0/6/1", 5, 1.0),
        Sample(device.pk, "/32999/0/1", b"\x01", 1.0),
        Sample(device.pk, "/3303/7/5700", 2.5, 1.0),
    ]
    values.store(samples=samples, now=NOW)
    with django_assert_max_num_queries(3):
        found = {one.path: one for one in trees.tree(device)}
    assert list(found) == ["/1", "/3", "/16", "/3303", "/32999"]
    device_object = found["/3"]
    assert device_object.name == "Device"
    resources = {one.number: one for one in device_object.instances[0].resources}
    assert resources[0].latest.value == "Acme"
    assert resources[1].is_absent
    assert resources[1].latest is None
    assert [leaf.value for leaf in resources[6].instances] == [1, 5]
    raw = found["/32999"].instances[0].resources[0]
    assert (raw.name, raw.latest.value) == ("", {"base64": "AQ=="})
    assert found["/16"].instances == ()
    assert [(i.number, i.is_announced) for i in found["/3303"].instances] == [
        (0, True),
        (1, True),
        (7, False),
    ]


def test_pruning_goes_along_the_primary_key(device):
    if connection.vendor != "postgresql":
        pytest.skip("asks PostgreSQL for its plan")
    fill(device, 100)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN DELETE FROM telemetry_resourcehistory WHERE value_id = ANY(%s) AND at < %s",
            [[1, 2], NOW],
        )
        # Of the partition that has what is older than the days that were made
        assert "telemetry_resourcehistory_default_pkey" in str(cursor.fetchall())

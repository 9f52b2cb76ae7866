"""Values keep their own time: the latest is the newest, not the last to arrive (R-21)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from audit.models import LedgerEvent
from devices.inventory import object_models
from devices.telemetry.models import ResourceHistory, ResourceValue
from devices.telemetry.services import values
from devices.telemetry.services.values import Sample
from lwm2m.nodes import Node, ObjectLinkValue
from lwm2m.paths import Path
from tests.devices.answering import answer
from tests.devices.commands.test_operations import ask

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
T = NOW.timestamp()


def store(device: Any, *given: tuple[str, Any, float]) -> None:
    values.store(samples=[Sample(device.pk, path, value, at) for path, value, at in given], now=NOW)


def latest(device: Any, path: str) -> tuple[str, Any]:
    row = ResourceValue.objects.get(device=device, path=path)
    return row.kind, row.number if row.text is None else row.text


def test_late_and_out_of_order(device):
    store(device, ("/3/0/9", 80, T))
    store(device, ("/3/0/9", 90, T - 60), ("/3/0/9", 85, T - 30))
    assert latest(device, "/3/0/9") == ("i", 80)
    store(device, ("/3/0/9", 70, T + 10), ("/3/0/9", 75, T + 5))
    assert latest(device, "/3/0/9") == ("i", 70)
    rows = ResourceHistory.objects.order_by("at").values_list("number", flat=True)
    assert list(rows) == [90, 85, 80, 75, 70]
    row = ResourceValue.objects.get()
    assert row.at == NOW + timedelta(seconds=10)
    assert row.received_at == NOW


def test_the_same_time_again_stands_in_its_place(device):
    store(device, ("/3/0/9", 80, T), ("/3/0/9", 81, T), ("/3/0/9", 82, T + 0.0001))
    store(device, ("/3/0/9", 83, T))
    assert latest(device, "/3/0/9") == ("i", 83)
    assert ResourceHistory.objects.get().number == 83


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (21.5, ("n", 21.5)),
        (7, ("i", 7.0)),
        (2**63, ("i", "9223372036854775808")),
        (True, ("b", 1.0)),
        ("on", ("t", "on")),
        ("", ("t", "")),
        (b"\x00\xff", ("o", "AP8=")),
        (ObjectLinkValue(3, 0), ("l", "3:0")),
        (float("nan"), ("t", "nan")),
        (None, ("e", None)),
    ],
)
def test_each_type_has_its_column(device, value, kept):
    store(device, ("/32999/0/1", value, T))
    assert latest(device, "/32999/0/1") == kept
    assert ResourceHistory.objects.count() == (0 if value is None else 1)


def test_secrets_are_not_kept(device):
    store(device, ("/0/0/5", b"key", T), ("/0/0/1", False, T), ("/24/0/9", "any", T))
    assert latest(device, "/0/0/5") == ("h", None)
    assert latest(device, "/0/0/1") == ("b", 0.0)
    assert latest(device, "/24/0/9")[0] == "h"
    assert ResourceHistory.objects.count() == 1


def test_a_clock_that_is_wrong_counts_as_none(device):
    store(device, ("/3/0/9", 80, T + 86_400), ("/3/0/10", 1, -5.0), ("/3/0/11/0", 1, float("nan")))
    assert set(ResourceValue.objects.values_list("at", flat=True)) == {NOW}


def test_nodes_become_samples_at_their_own_time():
    nodes = [
        Node(Path(3303, 0, 5700), 1.0, T - 3600),
        Node(Path(3303, 0, 5700), 2.0, -10),
        Node(Path(3303, 0, 5700), 3.0, None),
        Node(Path(3303, 0, 5700), 4.0, None, "dev0"),
        Node(Path(3303, 0), None),
    ]
    found = values.samples(device_id=1, nodes=nodes, received_at=T)
    assert [(one.at, one.value) for one in found] == [(T - 3600, 1.0), (T - 10, 2.0), (T, 3.0)]


def test_a_batch_costs_few_statements(make, django_assert_max_num_queries):
    fleet = [make(f"urn:dev:{number}", "") for number in range(20)]
    batch = [Sample(one.pk, f"/3303/0/{5700 + n % 5}", float(n), T - n) for one in fleet for n in range(25)]
    operators = {one.pk: one.operator_id for one in fleet}
    object_models.catalogue(fleet[0].operator_id)  # looked for every few seconds, not for every batch
    is_postgres = connection.vendor == "postgresql"
    with django_assert_max_num_queries(2 if is_postgres else 5):
        values.store(samples=batch, now=NOW, operators=operators)
    with django_assert_max_num_queries(1 if is_postgres else 4):  # nothing of it is new
        values.store(samples=batch, now=NOW, operators=operators)
    assert ResourceValue.objects.count() == 100
    assert ResourceHistory.objects.count() == 500
    values.store(samples=[], now=NOW)


def test_a_device_has_room_for_so_many_resources(make, monkeypatch):
    monkeypatch.setattr(values, "LIMIT", 3)
    monkeypatch.setattr(values, "END_DEVICES_LIMIT", 2)
    full, other = make("urn:dev:full", ""), make("urn:dev:other", "")

    def told(device, at=T, value=1.0, *paths):
        return values.store(samples=[Sample(device.pk, path, value, at) for path in paths], now=NOW)

    assert told(full, T, 1.0, "/3303/0/1", "/3303/0/2", "/3303/0/3") == {}
    samples = [
        Sample(full.pk, "/3303/0/1", 7.0, T + 1),
        Sample(full.pk, "/3303/0/4", 1.0, T + 1),
        Sample(full.pk, "/25/0/0", "a", T + 1),
        Sample(other.pk, "/3303/0/4", 1.0, T + 1),
    ]
    assert values.store(samples=samples, now=NOW) == {full.pk: {"/3303/0/4"}}
    assert latest(full, "/3303/0/1") == ("n", 7.0)
    assert latest(full, "/25/0/0") == ("t", "a")
    assert latest(other, "/3303/0/4") == ("n", 1.0)
    assert full.values.count() == 4
    assert not ResourceHistory.objects.exclude(value__in=ResourceValue.objects.all()).exists()
    assert told(full, T, "x", "/25/0/1", "/25/1/0") == {full.pk: {"/25/0/1", "/25/1/0"}}
    # What is gone makes room.
    values.absent(path="/3303/0/2", seen={full.pk: []}, now=NOW)
    assert told(full, T + 2, 1.0, "/3303/0/5") == {}
    assert set(full.values.values_list("path", flat=True)) == {
        "/3303/0/1",
        "/3303/0/3",
        "/3303/0/5",
        "/25/0/0",
    }


def test_int_222_an_answer_is_stored_and_what_it_lacks_is_absent(device):
    ask(device, "read", "/3/0")
    answer(device, nodes={"/3/0/0": "Acme", "/3/0/6/0": 1, "/3/0/6/1": 5})
    assert latest(device, "/3/0/6/1") == ("i", 5)
    ask(device, "read", "/3/0")
    answer(device, nodes={"/3/0/0": "Acme", "/3/0/6/0": 1})
    assert latest(device, "/3/0/6/1") == ("e", None)
    assert latest(device, "/3/0/6/0") == ("i", 1)
    ask(device, "read", "/3/0/0")
    answer(device, code="4.04")
    assert latest(device, "/3/0/0") == ("e", None)


def test_an_answer_with_more_than_there_is_room_for_leaves_an_event(device, monkeypatch):
    monkeypatch.setattr(values, "LIMIT", 2)
    ask(device, "read", "/3/0")
    answer(device, nodes={"/3/0/0": "Acme", "/3/0/1": "A", "/3/0/2": "1"})
    assert not device.values.exists()
    event = LedgerEvent.objects.get(action="values.refused")
    assert (event.cause, event.detail["count"], event.device_id) == ("VALUES_LIMIT", 3, device.pk)


def test_what_was_written_is_what_the_device_has(device):
    ask(device, "write", "/1/0", values={"1": 60, "6": True})
    answer(device, code="2.04")
    assert latest(device, "/1/0/1") == ("i", 60)
    ask(device, "delete", "/1/0")
    answer(device, code="2.02")
    assert latest(device, "/1/0/1") == ("e", None)


def test_secrets_wait_sealed_and_are_masked_after(device):
    command = ask(device, "write", "/11/0/6", value="hunter2")
    assert "hunter2" not in str(command.arguments)
    claimed = answer(device, code="2.04")
    assert claimed.arguments["value"] == "hunter2"
    command.refresh_from_db()
    assert "hunter2" not in str(command.arguments)
    ask(device, "read", "/11/0")
    answer(device, nodes={"/11/0/6": "hunter2", "/11/0/0": "home"})
    last = device.commands.first()
    assert {node["path"]: node["value"] for node in last.answer["nodes"]} == {
        "/11/0/6": "(hidden)",
        "/11/0/0": "home",
    }

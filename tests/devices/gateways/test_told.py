"""What a gateway tells in object 25: found, changed, gone, back, moved, adopted; twice is once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Subscriber
from audit.models import LedgerEvent
from devices.gateways.models import EndDevice, ParkedReport
from devices.gateways.services import end_device_choices, end_device_reading, end_devices, parked_reports
from devices.inventory.models import Knock
from devices.telemetry.models import ResourceValue
from devices.telemetry.services import values
from devices.telemetry.services.values import Sample
from lwm2m.paths import Path
from tests.devices.gateways.conftest import instances

NOW = timezone.now()
LATER = NOW + timedelta(minutes=5)


def tell(gateway, told, now=NOW, *, is_whole=True):
    return end_devices.told(gateway=gateway, instances=told, is_whole=is_whole, now=now)


def standing(gateway) -> dict[str, str]:
    rows = EndDevice.objects.filter(gateway=gateway, gone_at=None)
    return dict(rows.values_list("identifier", "prefix"))


def actions(device) -> list[str]:
    return list(
        LedgerEvent.objects.filter(device_id=device.pk).order_by("id").values_list("action", flat=True)
    )


def test_children_appear_once(gateway):
    assert tell(gateway, instances("urn:dev:a", "urn:dev:b")).found == 2
    again = tell(gateway, instances("urn:dev:a", "urn:dev:b"), LATER)
    assert not any(again.counts.values())
    assert standing(gateway) == {"urn:dev:a": "dev0", "urn:dev:b": "dev1"}
    assert set(EndDevice.objects.values_list("read_at", flat=True)) == {NOW}  # nothing else was said since
    gateway.refresh_from_db()
    assert gateway.end_devices_read_at == LATER
    assert actions(gateway) == ["gateway.end_devices"]
    row = EndDevice.objects.get(identifier="urn:dev:a")
    assert row.object_links["objects"]["3303"] == {"version": "1.1", "instances": [0], "attributes": []}


def test_version_1_0_of_the_object_has_no_object_links(gateway):
    tell(gateway, {0: {0: "urn:dev:a", 1: "dev0", 2: {"object_link": "26:0"}}})
    assert EndDevice.objects.get().object_links == {}


def test_gone_and_back_keep_the_device(gateway, make_child):
    child = make_child()
    tell(gateway, instances("urn:dev:a", "urn:dev:b"))
    gone = tell(gateway, {1: {0: "urn:dev:b", 1: "dev1"}}, LATER)
    assert (gone.gone, gone.found) == (1, 0)
    row = EndDevice.objects.get(identifier="urn:dev:a")
    assert (row.device, row.gone_at, row.gone_cause) == (child, LATER, "END_DEVICE_GONE")
    back = tell(gateway, instances("urn:dev:a", "urn:dev:b"), LATER + timedelta(minutes=1))
    assert back.back == 1
    row.refresh_from_db()
    assert (row.device, row.gone_at, row.gone_cause) == (child, None, "")
    assert actions(child) == ["end_device.adopted", "end_device.gone", "end_device.back"]
    event = LedgerEvent.objects.get(device_id=child.pk, action="end_device.gone")
    assert event.cause == "END_DEVICE_GONE"


def test_a_reading_of_one_instance_leaves_the_others(gateway):
    tell(gateway, instances("urn:dev:a", "urn:dev:b"))
    tell(gateway, {1: {3: "</3/0>,</3304/0>"}}, LATER, is_whole=False)
    assert standing(gateway) == {"urn:dev:a": "dev0", "urn:dev:b": "dev1"}
    assert "3304" in EndDevice.objects.get(identifier="urn:dev:b").object_links["objects"]


def test_prefixes_are_exchanged_and_history_stays(gateway, make_child):
    child = make_child()
    tell(gateway, instances("urn:dev:a", "urn:dev:b"))
    values.store(samples=[Sample(child.pk, "/3303/0/5700", 20.0, NOW.timestamp())], now=NOW)
    swapped = {0: {0: "urn:dev:a", 1: "dev1"}, 1: {0: "urn:dev:b", 1: "dev0"}}
    assert tell(gateway, swapped, LATER).changed == 2
    assert standing(gateway) == {"urn:dev:a": "dev1", "urn:dev:b": "dev0"}
    assert EndDevice.objects.get(device=child).identifier == "urn:dev:a"
    assert ResourceValue.objects.get(device=child).number == 20.0
    assert actions(child)[-1] == "end_device.routed"


def test_an_instance_that_became_another_device(gateway, make_child):
    child = make_child()
    tell(gateway, instances("urn:dev:a"))
    tell(gateway, {0: {0: "urn:dev:c", 1: "dev0"}}, LATER, is_whole=False)
    assert standing(gateway) == {"urn:dev:c": "dev0"}
    assert EndDevice.objects.get(device=child).gone_at == LATER


def test_two_gateways_of_one_owner_move_the_device(gateway, make_gateway, make_child):
    child, attic = make_child(), make_gateway("urn:gw:2", name="Attic")
    tell(gateway, instances("urn:dev:a"))
    moved = tell(attic, {7: {0: "urn:dev:a", 1: "x"}}, LATER)
    assert (moved.moved, moved.found) == (1, 1)
    assert EndDevice.objects.get(device=child).gateway == attic
    old = EndDevice.objects.get(gateway=gateway)
    assert (old.device, old.gone_at, old.gone_cause) == (None, LATER, "END_DEVICE_MOVED")
    event = LedgerEvent.objects.get(device_id=child.pk, action="end_device.moved")
    assert (event.cause, event.before, event.after) == (
        "END_DEVICE_MOVED",
        {"gateway": "urn:gw:1"},
        {"gateway": "urn:gw:2"},
    )


def test_a_foreign_gateway_gets_no_device(gateway, make_gateway, make_child, south):
    child = make_child()
    tell(gateway, instances("urn:dev:a"))
    foreign = make_gateway("urn:gw:9", operator=south, subscriber=None)
    told = tell(foreign, instances("urn:dev:a"), LATER)
    assert (told.found, told.moved) == (1, 0)
    assert EndDevice.objects.get(device=child).gateway == gateway
    assert EndDevice.objects.get(gateway=foreign).device is None
    knock = Knock.objects.get()
    assert (knock.cause, knock.device, knock.count) == ("END_DEVICE_ELSEWHERE", foreign, 1)


def test_a_device_of_another_reach_is_not_taken_over(gateway, make_gateway):
    make_gateway("urn:dev:a")
    tell(gateway, instances("urn:dev:a"))
    assert EndDevice.objects.get().device is None
    assert Knock.objects.get().cause == "END_DEVICE_ELSEWHERE"


def test_an_announced_device_is_adopted_by_its_owners_gateway(make_gateway, make_child, north):
    stranger = Subscriber.objects.exclude(pk=None).first()
    assert stranger is not None
    child = make_child()
    tell(make_gateway("urn:gw:0", subscriber=None), instances("urn:dev:a"))
    assert not EndDevice.objects.filter(device=child).exists()
    tell(make_gateway(), instances("urn:dev:a"), LATER)
    assert EndDevice.objects.get(device=child).gateway.endpoint == "urn:gw:1"


def test_a_device_added_after_it_was_told_of(gateway, make_child):
    tell(gateway, instances("urn:dev:a"))
    child = make_child()
    assert end_device_choices.adopt(device=child, now=LATER).device == child
    assert end_device_choices.adopt(device=make_child("urn:dev:z"), now=LATER) is None
    assert actions(child) == ["end_device.adopted"]


BROKEN = [
    {0: {1: "dev0"}},
    {0: {0: "urn:dev:a"}},
    {0: {0: "", 1: "dev0"}},
    {0: {0: "urn:dev:a", 1: ""}},
    {0: {0: "urn:dev:a", 1: "3"}},
    {0: {0: "urn:dev:a", 1: "a/b"}},
    {0: {0: "urn:dev:a", 1: "x" * 65}},
    {0: {0: "urn:dev:\x00", 1: "dev0"}},
    {0: {0: 7, 1: {"base64": "AA=="}}},
    {0: {0: "n" * 300, 1: "dev0"}},
]


@pytest.mark.parametrize("told", BROKEN)
def test_what_is_no_device_is_counted_and_hurts_nobody(gateway, told):
    assert tell(gateway, {**told, 5: {0: "urn:dev:good", 1: "dev5"}}).found == 1
    assert standing(gateway) == {"urn:dev:good": "dev5"}
    assert Knock.objects.get().cause == "END_DEVICE_UNREADABLE"


def test_of_two_with_one_name_or_prefix_the_first_counts(gateway):
    tell(gateway, {**instances("urn:dev:a"), 1: {0: "urn:dev:a", 1: "x"}, 2: {0: "urn:dev:b", 1: "dev0"}})
    assert standing(gateway) == {"urn:dev:a": "dev0"}
    assert Knock.objects.get().count == 2


def test_object_links_that_cannot_be_read_are_left_out(gateway):
    tell(gateway, {0: {0: "urn:dev:a", 1: "dev0", 3: "no links at all"}})
    assert EndDevice.objects.get().object_links == {}


def test_only_object_25_counts():
    nodes = [(Path(25, 0, 0), "a"), (Path(25, 0), None), (Path(3, 0, 0), "b"), (Path(25, 0, 2, 1), "c")]
    assert end_device_reading.resources(nodes) == {0: {0: "a"}}


def test_ten_thousand_children_cost_few_statements(gateway, make_child, django_assert_max_num_queries):
    make_child("urn:dev:9")
    many = instances(*(f"urn:dev:{number}" for number in range(10_000)))
    most = 40 if connection.vendor == "postgresql" else 200  # SQLite takes so many values a statement
    with django_assert_max_num_queries(most):
        assert tell(gateway, many).found == 10_000
    with django_assert_max_num_queries(12):
        tell(gateway, many, LATER)
    with django_assert_max_num_queries(40):
        assert tell(gateway, {}, LATER + timedelta(seconds=1)).gone == 10_000
    assert actions(gateway) == ["gateway.end_devices"] * 2


def test_parked_reports_are_stored_for_those_who_are_told_of(gateway, make_child):
    child = make_child()
    sample = Sample(0, "/3303/0/5700", 21.5, NOW.timestamp() - 60)
    parked_reports.park(gateway_id=gateway.pk, reported={"dev0": [sample], "zz": [sample]}, now=NOW)
    told = tell(gateway, instances("urn:dev:a"), LATER)
    assert [(one.device_id, one.value, one.at) for one in told.samples] == [(child.pk, 21.5, sample.at)]
    assert not ParkedReport.objects.exists()
    knock = Knock.objects.get()
    assert (knock.cause, knock.detail) == ("END_DEVICE_UNKNOWN", "Prefixes: zz")


def test_parked_reports_are_bounded_and_do_not_wait_for_ever(gateway):
    sample = Sample(0, "/3303/0/5700", b"\x01", NOW.timestamp())
    reported = {f"p{number}": [sample] for number in range(100)}
    assert parked_reports.park(gateway_id=gateway.pk, reported=reported, now=NOW) == 36
    assert parked_reports.park(gateway_id=gateway.pk, reported={"x" * 65: [sample]}, now=NOW) == 1
    assert parked_reports.drop_old(now=NOW + timedelta(minutes=30)) == 0
    assert parked_reports.drop_old(now=NOW + timedelta(hours=2)) == parked_reports.LIMIT
    assert Knock.objects.get().count == 64


def test_a_gateway_that_is_lost_for_good(gateway, make_child):
    child = make_child()
    tell(gateway, instances("urn:dev:a", "urn:dev:b"))
    assert end_device_choices.lose(gateway=gateway, cause="GATEWAY_REMOVED", now=LATER) == 2
    causes = EndDevice.objects.values_list("gone_cause", flat=True)
    assert set(causes) == {"GATEWAY_REMOVED"}
    assert actions(child)[-1] == "end_device.gone"

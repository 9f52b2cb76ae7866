"""The way to a device behind a gateway stands with the device, whatever the gateway tells and whoever is removed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_choices, end_devices, routes
from devices.inventory.models import Device
from devices.registry.models import RegistrationDetail
from devices.registry.selectors import ways
from provisioning.services import corrections, departure, lifecycle, onboarding
from tests.devices.gateways.conftest import instances
from tests.devices.gateways.test_told import LATER, NOW

pytestmark = pytest.mark.django_db


def tell(gateway: Device, told=None, *, is_whole: bool = True, now=NOW):
    return end_devices.told(gateway=gateway, instances=told or {}, is_whole=is_whole, now=now)


def way(device: Device) -> tuple[str, str, object]:
    """Gateway, prefix and since when it is gone, as the row says and the entries of gateways agree with."""
    device.refresh_from_db()
    entry = EndDevice.objects.filter(device=device).select_related("gateway").first()
    said = None if entry is None else (entry.gateway, entry.prefix, entry.gone_at)
    assert said == (None if device.via is None else (device.via, device.prefix, device.gone_at))
    return (device.via.endpoint if device.via else "", device.prefix, device.gone_at)


def objects(device: Device) -> list[str]:
    return sorted(RegistrationDetail.objects.get(device=device).object_links["objects"])


def test_the_way_follows_what_the_gateway_tells(gateway, make_child):
    child = make_child("urn:dev:a")
    assert way(child) == ("", "", None)
    tell(gateway, instances("urn:dev:a"))
    assert way(child) == ("urn:gw:1", "dev0", None)
    assert objects(child) == ["3", "3303"]
    tell(gateway, {0: {0: "urn:dev:a", 1: "other", 3: "</3304/0>"}}, now=LATER)
    assert way(child) == ("urn:gw:1", "other", None)
    assert objects(child) == ["3304"]
    tell(gateway, now=LATER)
    assert way(child) == ("urn:gw:1", "other", LATER)
    tell(gateway, {4: {0: "urn:dev:a", 1: "dev4"}}, is_whole=False, now=LATER)
    assert way(child) == ("urn:gw:1", "dev4", None)


def test_two_that_exchange_their_prefixes(gateway, make_child):
    first, second = make_child("urn:dev:a"), make_child("urn:dev:b")
    tell(gateway, instances("urn:dev:a", "urn:dev:b"))
    tell(gateway, instances("urn:dev:b", "urn:dev:a"), now=LATER)
    assert (way(first)[1], way(second)[1]) == ("dev1", "dev0")
    tell(gateway, {0: {0: "urn:dev:a", 1: "dev0"}}, is_whole=False, now=LATER)
    assert (way(first)[1], way(second)[2]) == ("dev0", LATER)


def test_those_who_exchange_between_two_gateways(gateway, make_gateway, make_child):
    other = make_gateway("urn:gw:2")
    first, second = make_child("urn:dev:a"), make_child("urn:dev:b")
    tell(gateway, instances("urn:dev:a"))
    tell(other, instances("urn:dev:b"))
    tell(other, instances("urn:dev:a"), now=LATER)
    tell(gateway, instances("urn:dev:b"), now=LATER)
    assert (way(first), way(second)) == (("urn:gw:2", "dev0", None), ("urn:gw:1", "dev0", None))


def test_taken_corrected_and_removed(gateway, make_child):
    tell(gateway, instances("urn:dev:a", "urn:dev:b"))
    (taken,) = onboarding.take_end_devices(gateway=gateway, identifiers=["urn:dev:a"]).devices
    assert way(taken) == ("urn:gw:1", "dev0", None)
    assert objects(taken) == ["3", "3303"]
    announced = make_child("urn:dev:typo")
    corrections.correct_endpoint(device=announced, endpoint="urn:dev:b")
    assert way(announced) == ("urn:gw:1", "dev1", None)
    lifecycle.release(device=announced)
    assert way(announced) == ("", "", None)
    lifecycle.release(device=gateway, now=LATER)
    assert way(taken) == ("urn:gw:1", "dev0", LATER)
    assert ways.gone_cause(taken) == "GATEWAY_REMOVED"


@pytest.mark.parametrize("is_child_first", [True, False])
def test_who_leaves_takes_gateway_and_children_along_in_any_order(make_gateway, make_child, is_child_first):
    """What is locked out of order fails the test (`tests/lock_order.py`)."""
    early = [make_child("urn:dev:a")] if is_child_first else []
    gateway = make_gateway()
    children = [*early, make_child("urn:dev:b"), make_child("urn:dev:c")]
    tell(gateway, instances(*(child.endpoint for child in children)))
    departure.forget(user=gateway.subscriber.user, reason="gone")
    assert not Device.objects.exclude(via=None, prefix="").exists()
    assert not EndDevice.objects.exists()


def test_a_prefix_leads_to_one_device_and_an_end_device_alone_has_a_way(gateway, make_child):
    child, other = make_child("urn:dev:a"), make_child("urn:dev:b")
    tell(gateway, instances("urn:dev:a"))
    rows = Device.objects.filter(pk=other.pk)
    for wrong in ({"via": gateway}, {"prefix": "x"}, {"gone_at": NOW}, {"via": gateway, "prefix": "dev0"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Device.objects.filter(pk=gateway.pk).update(via=child, prefix="x")
    rows.update(via=gateway, prefix="dev0", gone_at=NOW)  # was there before
    assert rows.get().via == gateway


def test_reports_find_their_devices_by_prefix(gateway, make_child):
    child = make_child("urn:dev:a")
    tell(gateway, instances("urn:dev:a", "urn:dev:b", "urn:dev:c"))
    tell(gateway, instances("urn:dev:a", "urn:dev:b"), now=LATER)
    asked = [(gateway.pk, prefix) for prefix in ("dev0", "dev1", "dev2", "dev9")] + [(child.pk, "dev0")]
    assert routes.by_prefix(asked) == {(gateway.pk, "dev0"): child.pk, (gateway.pk, "dev1"): None}
    lifecycle.release(device=child)
    assert routes.by_prefix(asked) == {(gateway.pk, "dev0"): None, (gateway.pk, "dev1"): None}


def test_nothing_holds_before_the_list_was_read_whole_on_the_present_registration(gateway, make_child):
    make_child("urn:dev:a")
    tell(gateway, instances("urn:dev:a"), now=NOW)
    through = Device.objects.filter(ways.through_gateways())
    registered = gateway.registration
    registered.registered_at = NOW + timedelta(seconds=1)
    registered.save(update_fields=["registered_at"])
    assert not through.exists()
    tell(gateway, instances("urn:dev:a"), is_whole=False, now=LATER)
    assert not through.exists()
    tell(gateway, instances("urn:dev:a"), now=LATER)
    assert through.get().endpoint == "urn:dev:a"
    assert end_device_choices.on_offer(gateway, None) == []


def test_when_an_entry_was_told_last(gateway, make_child, api):
    owner = api(gateway.subscriber.user)

    def listed() -> list[tuple[str, datetime]]:
        rows = owner.get(f"/api/v1/devices/{gateway.endpoint}/end-devices/").json()["results"]
        return [(row["identifier"], datetime.fromisoformat(row["read_at"])) for row in rows]

    tell(gateway, instances("urn:dev:a"), now=NOW)
    tell(gateway, instances("urn:dev:a"), now=LATER)
    assert listed() == [("urn:dev:a", LATER)]
    last = LATER + timedelta(minutes=1)
    tell(gateway, instances("urn:dev:b"), now=last)
    assert sorted(listed()) == [("urn:dev:a", LATER), ("urn:dev:b", last)]

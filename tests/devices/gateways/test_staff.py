"""What staff and programs see and do with the devices behind a gateway: the admin and the REST API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import LedgerEvent
from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_choices, end_devices
from devices.inventory.models import Device
from devices.registry.models import Registration, RegistrationDetail
from devices.registry.services import registrations
from devices.telemetry.services import values
from devices.telemetry.services.values import Sample
from lwm2m.links import parse_object_links
from provisioning.models import Job
from provisioning.services import onboarding
from tests.devices.gateways.conftest import instances
from tests.devices.gateways.test_told import NOW


@pytest.fixture
def told(gateway) -> Device:
    names = ("urn:dev:a", "urn:dev:b", "urn:dev:c")
    end_devices.told(gateway=gateway, instances=instances(*names), is_whole=True, now=NOW)
    return gateway


def at(gateway, tail="") -> str:
    return f"/api/v1/devices/{gateway.endpoint}/end-devices/{tail}"


def test_rest_lists_takes_and_dismisses(told, api):
    owner = api(told.subscriber.user)
    listed = owner.get(at(told)).json()
    assert listed["count"] == 3
    first = listed["results"][0]
    assert (first["identifier"], first["prefix"], first["objects"]) == ("urn:dev:a", "dev0", [3, 3303])
    some = {"identifiers": ["urn:dev:a", "urn:dev:x"]}
    assert owner.post(at(told, "take/"), some, format="json").json() == {
        "taken": ["urn:dev:a"],
        "refused": {"urn:dev:x": "NOT_FOUND"},
    }
    left = owner.post(at(told, "dismiss/"), {"identifiers": ["urn:dev:b"]}, format="json")
    assert left.json() == {"changed": 1}
    assert owner.post(at(told, "take/"), {"all": True}, format="json").json()["taken"] == ["urn:dev:c"]
    assert [row["identifier"] for row in owner.get(at(told, "?state=left")).json()["results"]] == [
        "urn:dev:b"
    ]
    assert owner.post(at(told, "take/"), {}, format="json").status_code == 400
    child = owner.get("/api/v1/devices/urn:dev:a/").json()
    assert child["session"]["words"] == "registered through Basement"
    assert child["gateway"] == told.endpoint
    Registration.objects.filter(device=told).update(is_live=False)
    assert owner.get("/api/v1/devices/urn:dev:a/").json()["session"]["cause"] == "GATEWAY_OFFLINE"


def test_rest_is_for_owners_and_staff_that_may_add(told, api, member, north):
    reader = api(member("read_only", north))
    assert reader.get(at(told)).status_code == 200
    assert reader.post(at(told, "take/"), {"all": True}, format="json").status_code == 403
    staff = api(member("provisioning", north))
    assert len(staff.post(at(told, "take/"), {"all": True}, format="json").json()["taken"]) == 3
    assert Job.objects.count() == 3


def test_rest_devices_by_session(told, api):
    owner = api(told.subscriber.user)
    onboarding.take_end_devices(gateway=told)
    Registration.objects.filter(device=told).update(is_live=False)
    assert owner.get("/api/v1/devices/?session=gateway_offline").json()["count"] == 3


@pytest.fixture
def staff(member, north) -> Client:
    client = Client()
    client.force_login(member("provisioning", north))
    return client


def page(client: Client, name: str, *args: object, **query: object) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args), query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_admin_shows_the_tree(told, staff):
    taken = onboarding.take_end_devices(gateway=told, identifiers=["urn:dev:a"]).devices[0]
    shown = page(staff, "inventory_device_change", told.pk)
    assert "Behind this gateway" in shown
    assert "1 taken, 2 on offer, 0 left out, 0 gone" in shown
    child = page(staff, "inventory_device_change", taken.pk)
    assert "registered through Basement" in child
    assert 'as <span class="board-address">dev0</span>' in child
    assert "Registered through Basement" in page(staff, "inventory_device_manage", taken.pk)
    Registration.objects.filter(device=told).update(is_live=False)
    assert "gateway Basement offline" in page(staff, "inventory_device_board", state="gateway_offline")
    assert "behind a gateway whose registration has ended" in page(staff, "inventory_device_change", taken.pk)
    assert "urn:dev:b" in page(staff, "gateways_enddevice_changelist", gateway__id__exact=told.pk)
    assert "urn:dev:a" not in page(staff, "gateways_enddevice_changelist", show="offered")


def test_the_admin_takes_and_leaves_out(told, staff):
    rows = {row.identifier: row.pk for row in EndDevice.objects.all()}
    address = reverse("admin:gateways_enddevice_changelist")
    staff.post(address, {"action": "take_them", "_selected_action": [rows["urn:dev:a"]]})
    staff.post(address, {"action": "leave_out", "_selected_action": [rows["urn:dev:b"]]})
    assert EndDevice.objects.get(pk=rows["urn:dev:a"]).device.endpoint == "urn:dev:a"
    assert EndDevice.objects.get(pk=rows["urn:dev:b"]).is_dismissed


def test_who_may_only_read_takes_nothing(told, member, north):
    reader = Client()
    reader.force_login(member("read_only", north))
    rows = list(EndDevice.objects.values_list("pk", flat=True))
    reader.post(
        reverse("admin:gateways_enddevice_changelist"), {"action": "take_them", "_selected_action": rows}
    )
    assert not EndDevice.objects.filter(device__isnull=False).exists()


def test_lists_of_children_cost_what_a_list_costs(told, staff, django_assert_max_num_queries):
    onboarding.take_end_devices(gateway=told)
    with django_assert_max_num_queries(20):
        page(staff, "inventory_device_changelist")
    many = instances(*(f"urn:more:{number}" for number in range(40)))
    end_devices.told(gateway=told, instances=many, is_whole=True, now=NOW)
    onboarding.take_end_devices(gateway=told)
    with django_assert_max_num_queries(20):
        page(staff, "inventory_device_changelist")
    assert end_device_choices.on_offer(told, None) == []


def test_the_support_desk_sees_a_gateways_outage_on_its_children(told, member, north):
    desk = Client()
    desk.force_login(member("support", north))
    (child,) = onboarding.take_end_devices(gateway=told, identifiers=["urn:dev:a"]).devices
    detail = RegistrationDetail.objects.filter(device=told)
    Registration.objects.filter(device=told).update(expires_at=NOW - timedelta(days=1))
    registrations.expire(device_ids=[told.pk], now=timezone.now())
    assert detail.get().end_cause == "LIFETIME_EXPIRED"
    shown = " ".join(desk.get(reverse("support-device", args=[child.pk])).content.decode().split())
    assert "Gateway Basement offline" in shown
    assert "The device sits behind a gateway whose registration has ended." in shown
    assert "Gateway: Registration ran out" in shown  # once, at the gateway
    assert not LedgerEvent.objects.filter(device_id=child.pk, action="registration.expired").exists()
    of_gateway = " ".join(desk.get(reverse("support-device", args=[told.pk])).content.decode().split())
    assert "1 taken, 2 on offer" in of_gateway


def test_the_pages_of_a_gateway_with_ten_thousand_stay_short(gateway, staff):
    many = {number: {0: f"urn:dev:{number}", 1: f"dev{number}"} for number in range(10_000)}
    end_devices.told(gateway=gateway, instances=many, is_whole=True, now=NOW)
    listed = b"</1/0>,</3/0>,</25>;ver=2.0," + b",".join(b"</25/%d>" % number for number in range(10_000))
    RegistrationDetail.objects.filter(device=gateway).update(
        object_links=parse_object_links(listed).to_json()
    )
    values.store(
        samples=[
            Sample(gateway.pk, f"/25/{n}/{r}", "x", NOW.timestamp()) for n in range(10_000) for r in (0, 1)
        ],
        now=NOW,
    )
    for name in ("inventory_device_change", "inventory_device_manage"):
        assert len(page(staff, name, gateway.pk)) < 250_000, name
    assert len(page(staff, "gateways_enddevice_changelist")) < 400_000

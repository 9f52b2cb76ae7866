"""A gateway's page and the list of what is behind it: take all, choose, leave, offer again; ten thousand paged."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from devices.gateways.models import EndDevice
from devices.gateways.services import end_devices
from devices.inventory.models import Device
from devices.registry.models import Registration
from provisioning.models import Job
from tests.accounts.conftest import member, north, person, subscriber
from tests.devices.conftest import register
from tests.devices.gateways.conftest import gateway, instances, make_gateway

__all__ = ["gateway", "make_gateway", "member", "north", "person", "subscriber"]
NOW = timezone.now()


@pytest.fixture
def ann(gateway: Device) -> Client:
    client = Client()
    client.force_login(gateway.subscriber.user)
    return client


def tell(gateway, *names):
    end_devices.told(gateway=gateway, instances=instances(*names), is_whole=True, now=NOW)


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def behind(gateway) -> str:
    return reverse("device-end-devices", args=[gateway.pk])


def test_the_gateways_page_offers_what_was_found(ann, gateway):
    page = reverse("device", args=[gateway.pk])
    assert "Behind this gateway" not in text(ann.get(page))
    tell(gateway, *(f"urn:dev:{number}" for number in range(7)))
    assert "7 devices found behind Basement." in text(ann.get(page))
    answer = ann.post(behind(gateway), {"wish": "take-all"}, follow=True)
    assert "7 devices behind Basement taken." in text(answer)
    assert Device.objects.filter(reach="gateway", subscriber=gateway.subscriber).count() == 7
    assert Job.objects.filter(state="running").count() == 7
    assert "All devices behind it (7 taken)" in text(ann.get(page))
    assert "nothing left to take" in text(ann.post(behind(gateway), {"wish": "take-all"}, follow=True))


def test_choose_leave_and_offer_again(ann, gateway):
    tell(gateway, "urn:dev:a", "urn:dev:b", "urn:dev:c")
    ann.post(behind(gateway), {"wish": "take", "identifier": ["urn:dev:a"], "back": "list"})
    assert list(Device.objects.filter(reach="gateway").values_list("endpoint", flat=True)) == ["urn:dev:a"]
    ann.post(behind(gateway), {"wish": "leave", "identifier": ["urn:dev:b"]})
    page = text(ann.get(behind(gateway)))
    assert "urn:dev:c" in page
    assert "urn:dev:b" not in page
    assert "urn:dev:b" in text(ann.get(behind(gateway), {"show": "left"}))
    ann.post(behind(gateway), {"wish": "offer", "identifier": ["urn:dev:b"]})
    assert "urn:dev:b" in text(ann.get(behind(gateway)))
    nothing = ann.post(behind(gateway), {"wish": "take", "back": "list"}, follow=True)
    assert "Nothing was chosen" in text(nothing)
    missing = ann.post(behind(gateway), {"wish": "take", "identifier": ["urn:dev:x"]}, follow=True)
    assert "urn:dev:x is not there any more" in text(missing)


def test_a_child_shows_its_gateway_and_its_outage_as_one_cause(ann, gateway):
    tell(gateway, "urn:dev:a")
    ann.post(behind(gateway), {"wish": "take-all"})
    child = Device.objects.get(endpoint="urn:dev:a")
    page = reverse("device", args=[child.pk])
    shown = text(ann.get(page))
    assert "Online through Basement" in shown
    assert f'href="{reverse("device", args=[gateway.pk])}"' in shown
    assert "over the connection of the gateway" in shown
    Registration.objects.filter(device=gateway).update(is_live=False)
    offline = text(ann.get(page))
    assert "Gateway Basement offline" in offline
    assert "Check the power and network of the gateway" in offline
    assert "Gateway Basement offline" in text(ann.get(reverse("devices")))


def test_ten_thousand_are_paged_and_cost_what_ten_cost(ann, gateway, django_assert_max_num_queries):
    tell(gateway, *(f"urn:dev:{number}" for number in range(10_000)))
    with django_assert_max_num_queries(14):
        page = text(ann.get(behind(gateway)))
    assert "Take all 10,000" in page
    assert "Page 1 of 200" in page
    few = list(EndDevice.objects.values_list("identifier", flat=True)[:60])
    ann.post(behind(gateway), {"wish": "take", "identifier": few})
    assert Device.objects.filter(reach="gateway").count() == 50
    with django_assert_max_num_queries(14):
        assert "Online through Basement" in text(ann.get(behind(gateway), {"show": "taken"}))


def test_nobody_else_sees_or_takes_what_is_behind(gateway, make_gateway, member):
    tell(gateway, "urn:dev:a")
    stranger = Client()
    stranger.force_login(member("read_only", gateway.operator))
    assert stranger.get(behind(gateway)).status_code == 404
    assert stranger.post(behind(gateway), {"wish": "take-all"}).status_code == 404
    assert not Device.objects.filter(reach="gateway").exists()


def test_announce_on_the_add_page(ann, gateway):
    page = text(ann.get(reverse("device-add")))
    assert "In preparation" not in page
    given = {"endpoint": "urn:dev:z", "name": "Freezer", "reach": "gateway", "key_source": "made"}
    answer = ann.post(reverse("device-add"), given, follow=True)
    shown = text(answer)
    assert "Not seen yet" in shown
    assert "Pair the device with your gateway" in shown
    device = Device.objects.get(endpoint="urn:dev:z")
    assert (device.reach, device.security) == ("gateway", "none")
    tell(gateway, "urn:dev:z")
    assert "Online through Basement" in text(ann.get(reverse("device", args=[device.pk])))


def test_releasing_a_gateway_says_what_becomes_of_its_children(ann, gateway):
    register(gateway)
    tell(gateway, "urn:dev:a")
    ann.post(behind(gateway), {"wish": "take-all"})
    assert "1 device behind it" in text(ann.get(reverse("device-release", args=[gateway.pk])))
    ann.post(reverse("device-release", args=[gateway.pk]))
    child = Device.objects.get(endpoint="urn:dev:a")
    assert "Gone from Basement" in text(ann.get(reverse("device", args=[child.pk])))

"""One search for devices, behind every box: what callers say is found, on either database."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Subscriber, User
from backoffice.board import listing
from backoffice.board.listing import Query
from devices.inventory.models import Device
from devices.registry.selectors import search
from selfservice.selectors import own
from support.selectors import devices as desk
from tests.devices import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def meter():
    operator = making.operator()
    user = making.person("anna.berger@example.org", name="Anna Berger")
    account = making.subscriber(operator, user)
    Subscriber.objects.filter(pk=account.pk).update(number="NOR-2475-6039")
    device = making.device(operator, endpoint="urn:dev:4711", subscriber=account, name="Wasserzähler Keller")
    Device.objects.filter(pk=device.pk).update(
        msisdn="+491517000001", serial_number="SN-88123", manufacturer="Zähler & Söhne", model_number="WZ-9"
    )
    making.device(operator, endpoint="urn:dev:other", subscriber=making.subscriber(operator), name="Lamp")
    return Device.objects.get(pk=device.pk)


FOUND = [
    "urn:dev:4711", "DEV:4711", "4711",
    "Wasserzähler", "WASSERZÄHLER", "wasserzÄHler", "zähl", "keller wasser", "KELLER  zähler",
    "SN-88123", "sn-881", "söhne", "SÖHNE", "wz-9", "Söhne WZ-9",
    "+491517000001", "491517000001", "00491517000001", "0151 7000001", "01517000001", "(0151) 700-0001",
    "NOR-2475-6039", "nor-2475-6039", "2475-6039", "nor24756039", "nor 2475 6039",
    "anna.berger@example.org", "Anna", "berger", "anna berger", "Berger Keller", "example.org",
]  # fmt: skip
MISSED = [
    "4712",
    "Wasseruhr",
    "wasser lamp",
    "0152 7000001",
    "NOR-2475-6040",
    "bernd",
    "%",
    "_",
    "\0qqq",
    "1.2.3.4",
]


@pytest.mark.parametrize("text", FOUND)
def test_whatever_a_caller_says_finds_the_device_alone(meter, text):
    assert list(search.found(Device.objects.all(), text)) == [meter]


@pytest.mark.parametrize("text", MISSED)
def test_what_is_not_there_is_not_found(meter, text):
    assert list(search.found(Device.objects.all(), text)) == []


@pytest.mark.parametrize("text", ["", "   ", "\0"])
def test_nothing_said_finds_all(meter, text):
    assert search.found(Device.objects.all(), text).count() == 2


@pytest.mark.parametrize(
    "text", ["WASSERZÄHLER", "0151 7000001", "nor24756039", "söhne", "Anna Berger", "sn-881"]
)
def test_every_door_finds_the_same(meter, text):
    now = timezone.now()
    root = User.objects.create_superuser("root@example.com", "a long password 1")
    client = Client()
    client.force_login(root)
    owner = meter.subscriber.user
    api = client.get("/api/v1/devices/", {"q": text}).json()
    assert [row["endpoint"] for row in api["results"]] == [meter.endpoint]
    admin = client.get("/admin/inventory/device/", {"q": text}).context["cl"].result_list
    assert [row.pk for row in admin] == [meter.pk]
    assert list(listing.devices(root, Query(text=text), now)) == [meter]
    assert list(own.listed(owner, text=text, show="", now=now)) == [meter]
    assert desk.search(text, None) == [meter]


def test_a_search_by_address_lists_a_device_once(meter):
    from provisioning.models import BootstrapSession

    for _ in range(3):
        BootstrapSession.objects.create(
            operator_id=meter.operator_id, device=meter, state="done", transport="udp", host="192.0.2.7", port=1,
            content_format=112, started_at=timezone.now(), last_progress_at=timezone.now(),
        )  # fmt: skip
    assert desk.search("192.0.2.7", None) == [meter]

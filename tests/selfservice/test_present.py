"""The present state before all else: one word in lists and pages, the operator's reason, and trouble in the list."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Operator, Subscriber
from audit.causes import CAUSES
from devices.inventory.models import Device, Knock, Plane
from devices.registry.selectors import present
from devices.registry.services import knocks
from devices.registry.services.knocks import KnockSeen
from lwm2m.bootstrap import Finished
from provisioning.services import jobs, lifecycle
from selfservice.selectors import own
from tests.devices import making
from tests.devices.gateways.telling import behind
from tests.provisioning import walking
from tests.selfservice.test_pages import registered, text

pytestmark = pytest.mark.django_db


def _page(client: Client, device: Device) -> str:
    return text(client.get(f"/devices/{device.pk}/"))


def _knock(device: Device, cause: str, *, times: int = 1) -> None:
    seen = KnockSeen(Plane.BOOTSTRAP, cause, device.endpoint, "192.0.2.9", count=times)
    knocks.count(knocks=[seen], now=timezone.now())


@pytest.mark.parametrize("act", [lifecycle.suspend, lifecycle.bar])
def test_a_device_that_is_shut_out_says_so_first_with_the_operators_reason(
    as_sam: Client, sam: Subscriber, act
) -> None:
    Operator.objects.update(support_email="help@northwind.example")
    device = making.device(sam.operator, subscriber=sam, name="Gate")
    registered(device)
    act(device=device, reason="The bill of <May> is open")
    page = _page(as_sam, device)
    word = "Suspended" if act is lifecycle.suspend else "Barred"
    assert re.search(rf"</svg>\s*{word}</span>", page)
    assert "Online" not in page.split("</h1>")[1].split("stepper")[0]
    assert "The bill of <May> is open" in page  # `text` has unescaped it
    assert "help@northwind.example" in page
    listed = text(as_sam.get("/devices/"))
    assert re.search(rf"</svg>\s*{word}</span>", listed)
    assert not re.search(r"</svg>\s*Online", listed)
    assert "Gate" in text(as_sam.get("/devices/?show=suspended"))
    assert "Gate" not in text(as_sam.get("/devices/?show=online"))


def test_a_device_behind_a_suspended_gateway_is_not_online(as_sam: Client, sam: Subscriber) -> None:
    gateway = making.device(sam.operator, subscriber=sam, name="Basement")
    child = making.device(sam.operator, subscriber=sam, name="Child", reach="gateway")
    behind(gateway, child)
    registered(gateway)
    assert "Online through Basement" in _page(as_sam, child)
    lifecycle.suspend(device=gateway, reason="Moved out")
    page = _page(as_sam, child)
    assert "Gateway Basement suspended" in page
    assert "Moved out" in page
    assert "Online through" not in page
    assert "Child" in text(as_sam.get("/devices/?show=suspended"))


def test_a_lost_device_says_so_before_its_first_journey(as_sam: Client, sam: Subscriber) -> None:
    device = making.device(sam.operator, subscriber=sam)
    registered(device, seconds_ago=9000)
    page = _page(as_sam, device)
    assert "Your device should have called" in page
    assert "Check its power and its reception" in page
    assert "we could not reach it" not in page  # nobody tried


def test_the_list_shows_a_wrong_key(as_sam: Client, sam: Subscriber) -> None:
    knocking = making.device(sam.operator, subscriber=sam, name="Knocking")
    making.device(sam.operator, subscriber=sam, name="In the drawer")
    _knock(knocking, "PSK_MISMATCH", times=10)
    page = text(as_sam.get("/devices/?show=stuck"))
    assert "Refused at the door" in page
    assert "10 times: The key in your device is not the one that was entered here." in page
    assert "In the drawer" not in page
    assert "Knocking" not in text(as_sam.get("/devices/?show=setup"))


def test_the_list_shows_a_bootstrap_that_came_to_nothing(as_sam: Client, sam: Subscriber) -> None:
    device = walking.ordered(operator=sam.operator, subscriber=sam)
    jobs.advance(job_id=walking.job(device).pk)
    walking.bootstrap(device, finished=Finished("write_refused", "BOOTSTRAP_WRITE_REFUSED", ""))
    page = text(as_sam.get("/devices/?show=stuck"))
    assert "Set-up stands still" in page
    assert str(CAUSES["BOOTSTRAP_WRITE_REFUSED"].subscriber) in page
    walking.begin(device, now=walking.after(device, 9))
    assert "Set-up stands still" not in text(as_sam.get("/devices/"))


def test_each_device_is_in_the_one_filter_that_its_badge_says(sam: Subscriber) -> None:
    now = timezone.now()
    made: dict[str, Device] = {}
    for name, ago, change in (
        ("online", 5, {}),
        ("failed but here", 5, {"provisioning": "failed"}),
        ("lost", 90_000, {}),
        ("lost and failed", 90_000, {"provisioning": "failed"}),
        ("never", None, {}),
        ("failed", None, {"provisioning": "failed"}),
        ("stands still", None, {"setup_cause": "BOOTSTRAP_TIMEOUT"}),
        ("refused", None, {}),
        ("refused before it came", 5, {}),
        ("suspended", 5, {"access": "suspended"}),
        ("barred and refused", None, {"access": "barred"}),
    ):
        device = making.device(sam.operator, subscriber=sam, name=name)
        if ago is not None:
            registered(device, seconds_ago=ago)
        Device.objects.filter(pk=device.pk).update(**change)
        made[name] = device
        if "refused" in name:
            _knock(device, "PSK_MISMATCH")
    Knock.objects.filter(device=made["refused before it came"]).update(last_at=now - timedelta(hours=1))
    rows = list(own.devices(sam.user))
    badges = {device.name: standing.state for device, standing in present.of_many(rows, now)}
    shown = {
        show: {row.name for row in own.listed(sam.user, text="", show=show, now=now)} for show in own.SHOW
    }
    assert sorted(name for names in shown.values() for name in names) == sorted(made)
    expected = {
        "online": {"registered", "asleep"},
        "stuck": {"failed", "refused"},
        "lost": {"lost", "late", "signed_off"},
        "suspended": {"suspended", "barred"},
        "setup": {"never_seen", "setup"},
    }
    for show, names in shown.items():
        assert {badges[name] for name in names} <= expected[show], (show, names)
    counted = own.counts(sam.user, now)
    assert {show: getattr(counted, show) for show in own.SHOW} == {
        show: len(names) for show, names in shown.items()
    }

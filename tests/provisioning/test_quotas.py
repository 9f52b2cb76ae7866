"""Limits of what an account and a device may hold, and what becomes of a closed account's devices."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.errors import Refused
from accounts.services import subscribers
from audit.models import LedgerEvent
from backoffice.subscribers import SubscriberAdmin
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.operations.services import operations
from provisioning.services import closing, lifecycle, onboarding
from tests.devices import making
from tests.provisioning.conftest import worker  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return making.subscriber(making.operator("northwind"))


def _add(account, name: str):
    return onboarding.add_device(
        operator=account.operator, subscriber=account, endpoint=name, by=account.user
    )


def test_devices_of_an_account_are_counted(account, settings) -> None:
    settings.DEVICES_PER_ACCOUNT = 2
    first, _ = _add(account, "one").device, _add(account, "two")
    with pytest.raises(Refused) as caught:
        _add(account, "three")
    assert caught.value.cause == "QUOTA_REACHED"
    assert not Device.objects.filter(endpoint="three").exists()
    lifecycle.release(device=first)
    _add(account, "three")
    onboarding.add_device(operator=account.operator, subscriber=None, endpoint="of-staff")


def test_the_limit_is_told_over_rest_and_on_the_page(account, settings) -> None:
    settings.DEVICES_PER_ACCOUNT = 1
    _add(account, "one")
    api = APIClient()
    api.force_authenticate(account.user)
    answer = api.post("/api/v1/devices/", {"endpoint": "two"})
    assert (answer.status_code, answer.json()["code"]) == (409, "QUOTA_REACHED")
    assert account.number in answer.json()["detail"]
    browser = Client()
    browser.force_login(account.user, backend="accounts.backends.RoleBackend")
    page = browser.post(
        "/devices/add/", {"account": account.number, "endpoint": "two", "reach": "ip", "security": "psk"}
    )
    assert page.status_code == 200
    assert not Device.objects.filter(endpoint="two").exists()


def test_commands_that_people_asked_for_are_counted(account, settings) -> None:
    settings.COMMANDS_PER_DEVICE = 2
    device = _add(account, "one").device
    ask = lambda by: operations.request(device=device, operation="read", path="/3/0", requested_by=by)  # noqa: E731
    first = ask("user:1")
    ask("user:2")
    with pytest.raises(Refused) as caught:
        ask("user:1")
    assert caught.value.cause == "QUOTA_REACHED"
    ask("job:7")  # the portal's own
    mailbox.cancel(command_id=first.pk, reason="enough")
    ask("user:1")


def test_closing_an_account_suspends_its_devices_and_shuts_its_doors(account) -> None:
    device = _add(account, "one").device
    browser, api = Client(), APIClient()
    browser.force_login(account.user, backend="accounts.backends.RoleBackend")
    api.force_authenticate(account.user)
    doors = [f"/devices/{device.pk}/", f"/devices/{device.pk}/new-key/"]
    assert browser.get(doors[0]).status_code == 200
    assert closing.close(subscriber=account, reason="moved away") == 1
    device.refresh_from_db()
    assert device.access == "suspended"
    event = LedgerEvent.objects.get(action="device.suspended")
    assert account.number in event.reason
    assert "moved away" in event.reason
    for door in doors:
        assert browser.get(door).status_code == 404
    assert browser.post(doors[1]).status_code == 404
    assert api.get("/api/v1/devices/one/").status_code == 404
    assert api.delete("/api/v1/devices/one/").status_code == 404
    assert api.get("/api/v1/devices/").json()["count"] == 0
    subscribers.resume(subscriber=account, reason="came back")
    assert browser.get(doors[0]).status_code == 200


def test_the_admin_closes_an_account_with_its_devices(account) -> None:
    device = _add(account, "two").device
    SubscriberAdmin.deeds["close"].do(account, "moved away", account.user)
    device.refresh_from_db()
    assert device.access == "suspended"

"""What people see and set of the ladder: the admin, REST, the support desk and the subscriber's page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.roles import Role
from audit.models import LedgerEvent
from devices.inventory.models import Device
from provisioning.ladder import ReachAttempt
from provisioning.selectors import reachability as told
from provisioning.services import reach_policies, reachability
from tests.devices import making
from tests.provisioning.silent import LIFETIME, expire, registered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("worker")]


@pytest.fixture
def lost() -> Device:
    """Looked for in vain: it has no phone number and sits behind no gateway."""
    now = timezone.now()
    device = registered(now=now - timedelta(seconds=LIFETIME + 120))
    subscriber = making.subscriber(device.operator)
    Device.objects.filter(pk=device.pk).update(subscriber=subscriber)
    expire(device, now=now)
    reachability.look(now=now)
    reachability.climb(now=now)
    return Device.objects.get(pk=device.pk)


def staff(device: Device, role: str = Role.ADMINISTRATOR) -> Client:
    client = Client()
    client.force_login(making.member(device.operator, role))
    return client


def form(operator: Any, **changes: Any) -> dict[str, Any]:
    given = {f"rung_{kind}": seconds for kind, seconds in reach_policies.of(operator).waits.items()}
    settings = {"is_enabled": "on", "early_seconds": 60, "sms_per_day": 3, "sms_per_minute": 60}
    return {**given, **settings, **changes}


def test_a_policy_is_edited_step_by_step(lost: Device) -> None:
    client = staff(lost)
    address = reverse("admin:provisioning_reachpolicy_change", args=[lost.operator_id])
    page = client.get(address).content.decode()
    assert 'name="rung_update_trigger" value="300"' in page
    answer = client.post(address, form(lost.operator, rung_update_trigger="", rung_sms_trigger=77))
    assert answer.status_code == 302, answer.content.decode()
    waits = reach_policies.of(lost.operator).waits
    assert ("update_trigger" in waits, waits["sms_trigger"]) == (False, 77)
    event = LedgerEvent.objects.get(action="reach.policy")
    assert set(event.after) == {"waits"}
    nothing = {name: "" for name in form(lost.operator) if name.startswith("rung_")}
    refused = client.post(address, form(lost.operator, **nothing))
    assert "Name at least one step" in refused.content.decode()


def test_only_those_who_run_it_change_a_policy(lost: Device) -> None:
    client = staff(lost, Role.SUPPORT)
    address = reverse("admin:provisioning_reachpolicy_change", args=[lost.operator_id])
    assert client.get(address).status_code == 200
    assert client.post(address, form(lost.operator, sms_per_day=9)).status_code == 403
    assert client.get(reverse("admin:provisioning_reachpolicy_add")).status_code == 403


def test_attempts_are_read_in_the_admin_also_on_the_devices_page(lost: Device) -> None:
    client = staff(lost)
    listing = client.get(reverse("admin:provisioning_reachattempt_changelist")).content.decode()
    one = ReachAttempt.objects.get(device=lost)
    single = client.get(reverse("admin:provisioning_reachattempt_change", args=[one.pk])).content.decode()
    device = client.get(reverse("admin:inventory_device_change", args=[lost.pk])).content.decode()
    for page in (listing, single, device):
        assert "Missed its contact at" in page
        assert "handed to the support desk at" in page
    assert "phone number is not known" in device


def test_rest_reads_and_changes_the_policy_of_an_operator(lost: Device) -> None:
    api = APIClient()
    api.force_authenticate(making.member(lost.operator, Role.PROVISIONING))
    address = f"/api/v1/operators/{lost.operator.slug}/reach-policy/"
    assert api.get(address).data["waits"]["wait"] == 30
    changed = api.patch(address, {"sms_per_day": 1, "waits": {"wait": 60, "ticket": 0}}, format="json")
    assert (changed.status_code, changed.data["waits"]) == (200, {"wait": 60, "ticket": 0})
    refused = api.patch(address, {"waits": {"pigeon": 1}}, format="json")
    assert (refused.status_code, refused.data["code"]) == (400, "VALIDATION_FAILED")
    api.force_authenticate(making.member(lost.operator, Role.SUPPORT))
    assert api.patch(address, {"sms_per_day": 5}, format="json").status_code == 403
    assert api.get(address).data["sms_per_day"] == 1


def test_rest_lists_attempts_for_staff_and_the_own_for_subscribers(lost: Device) -> None:
    other = registered(lost.operator, now=timezone.now() - timedelta(seconds=LIFETIME + 60))
    expire(other, now=timezone.now())
    reachability.look(now=timezone.now())
    api = APIClient()
    api.force_authenticate(lost.subscriber.user)
    (own,) = api.get("/api/v1/reach-attempts/").data["results"]
    assert (own["endpoint"], own["state"]) == (lost.endpoint, "exhausted")
    assert {one["kind"] for one in own["taken"] if not one.get("skipped")} == {"wait", "ticket"}
    api.force_authenticate(making.member(lost.operator, Role.READ_ONLY))
    assert api.get("/api/v1/reach-attempts/").data["count"] == 2
    assert api.get(f"/api/v1/reach-attempts/?endpoint={other.endpoint}").data["count"] == 1


def test_the_desk_reads_what_was_tried_and_the_subscriber_one_sentence(lost: Device) -> None:
    desk = staff(lost, Role.SUPPORT).get(reverse("support-device", args=[lost.pk])).content.decode()
    assert "The device is lost: it missed its contact at" in desk
    assert "nothing could be tried; handed to the support desk at" in desk
    assert "no step of the operator&#x27;s policy could be tried" in desk
    assert "Device not reached: over to the support desk" in desk
    assert "The device has no phone number" in desk or "phone number is not known" in desk
    client = Client()
    client.force_login(lost.subscriber.user)
    page = client.get(reverse("device", args=[lost.pk])).content.decode()
    assert "and there is no way to wake it from here" in page
    assert "Check its power and its reception" in page
    for word in ("SMS trigger", "registration", "Execute"):
        assert word not in page


def test_nothing_is_said_of_a_device_that_is_back_or_only_just_late(lost: Device) -> None:
    now = timezone.now()
    assert told.of(lost, now) is not None
    making.register(lost, now=now + timedelta(seconds=1), lifetime_seconds=LIFETIME)
    assert told.of(lost, now) is None
    late = registered(now=now - timedelta(seconds=LIFETIME - 30))
    reachability.look(now=now)
    assert ReachAttempt.objects.filter(device=late, state="open").exists()
    assert told.of(late, now) is None

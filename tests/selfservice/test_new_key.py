"""A new key for a device: asked about first, shown once, for whose device it is, and only where there is such a key."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from devices.inventory import vault
from devices.inventory.models import Credential, CredentialState, Device, Knock, Plane
from devices.inventory.services import devices
from provisioning.services import onboarding
from tests.devices import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(sam) -> Device:
    return onboarding.add_device(operator=sam.operator, subscriber=sam, endpoint="urn:dev:key").device


def text(response) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def address(device: Device) -> str:
    return f"/devices/{device.pk}/new-key/"


def key_in_use(device: Device) -> str:
    rows = Credential.objects.filter(device=device, plane=Plane.BOOTSTRAP)
    newest = rows.exclude(state=CredentialState.RETIRED).order_by("-pk").first()
    return vault.open_sealed(newest.sealed).hex()


def make(client: Client, device: Device):
    submission = re.search(r'name="submission" value="([^"]+)"', text(client.get(address(device)))).group(1)
    return client.post(address(device), {"submission": submission}), submission


def test_it_is_made_after_asking_and_shown_until_it_is_noted(as_sam: Client, device: Device):
    before = key_in_use(device)
    assert address(device) in text(as_sam.get(f"/devices/{device.pk}/"))
    assert "stops working" in text(as_sam.get(address(device)))
    assert key_in_use(device) == before
    answer, _ = make(as_sam, device)
    made = key_in_use(device)
    assert made != before
    shown = text(as_sam.get(answer.url))
    assert made in shown
    assert "data-key-sheet" in shown
    as_sam.post(f"{answer.url}key-noted/")
    again = text(as_sam.get(answer.url))
    assert made not in again
    assert "data-key-sheet" not in again


def test_a_second_press_makes_no_second_key(as_sam: Client, device: Device):
    answer, submission = make(as_sam, device)
    made = key_in_use(device)
    assert as_sam.post(address(device), {"submission": submission}).url == answer.url
    assert key_in_use(device) == made
    assert made in text(as_sam.get(answer.url))


def test_a_foreign_device_has_none(as_sam: Client, foreign):
    theirs = making.device(foreign.operator, subscriber=foreign)
    before = key_in_use(theirs)
    assert as_sam.get(address(theirs)).status_code == 404
    assert as_sam.post(address(theirs)).status_code == 404
    assert key_in_use(theirs) == before


@pytest.mark.parametrize("columns", [{"security": "none"}, {"onboarding": "direct"}, {"access": "suspended"}])
def test_only_where_there_is_a_key_for_the_bootstrap_server(as_sam: Client, device: Device, columns):
    Device.objects.filter(pk=device.pk).update(**columns)
    assert as_sam.get(address(device)).status_code == 404
    assert as_sam.post(address(device)).status_code == 404
    assert address(device) not in text(as_sam.get(f"/devices/{device.pk}/"))


def test_a_wrong_key_offers_a_new_one(as_sam: Client, device: Device):
    devices.set_provisioning(device=device, state="ready")
    Knock.objects.create(
        plane=Plane.BOOTSTRAP,
        cause="PSK_MISMATCH",
        claimed_name=device.endpoint,
        host="192.0.2.1",
        device=device,
        last_at=timezone.now(),
    )
    jobs_done(device)
    assert "Make a new key instead" in text(as_sam.get(f"/devices/{device.pk}/"))


def jobs_done(device: Device) -> None:
    """What comes before the first contact is over."""
    job = device.jobs.get()
    for step in job.steps.filter(kind__in=("check_inventory", "make_credentials", "render_profile")):
        step.state, step.finished_at = "done", timezone.now()
        step.save()

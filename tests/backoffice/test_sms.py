"""The SMSC link over REST and in the admin, and waking a device by SMS."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role
from devices.inventory.services import devices
from devices.messaging.models import SmscLink, SmsMessage
from devices.messaging.services import smsc_links
from tests.devices import making

pytestmark = pytest.mark.django_db


def as_user(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def operator():
    return making.operator()


@pytest.fixture
def link(operator):
    return smsc_links.save(
        operator=operator, password="hush-hush", host="smsc.example", system_id="portal", address="+4915199"
    )


def test_staff_see_how_the_link_is_but_no_password(operator, link):
    api = as_user(making.member(operator, Role.READ_ONLY))
    row = api.get("/api/v1/smsc-links/").data["results"][0]
    assert (row["operator"], row["state"], row["address"]) == (operator.slug, "down", "+4915199")
    one = api.get(f"/api/v1/smsc-links/{link.pk}/")
    assert one.status_code == 200
    assert "hush" not in one.content.decode()
    stranger = as_user(making.member(making.operator(), Role.ADMINISTRATOR))
    assert stranger.get(f"/api/v1/smsc-links/{link.pk}/").status_code == 404


def test_a_device_is_woken_over_rest(operator, link):
    device = devices.add(operator=operator, subscriber=None, endpoint="t/1", msisdn="+491511234567").device
    api = as_user(making.member(operator, Role.PROVISIONING))
    said = api.post("/api/v1/devices/t/1/triggers/", {"kind": "bootstrap", "reason": "lost"})
    assert said.status_code == 201, said.data
    assert said.data["state"] == "queued"
    assert SmsMessage.objects.get().device_id == device.pk
    assert api.get("/api/v1/devices/t/1/triggers/").data["results"][0]["id"] == said.data["id"]
    devices.set_msisdn(device=device, msisdn="")
    refused = api.post("/api/v1/devices/t/1/triggers/", {})
    assert (refused.status_code, refused.data["code"]) == (400, "MSISDN_MISSING")


def test_the_admin_writes_the_password_and_never_shows_it(operator, link):
    user = making.member(operator, Role.ADMINISTRATOR)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    url = reverse("admin:messaging_smsclink_change", args=[link.pk])
    page = client.get(url).content.decode()
    assert "smsc.example" in page
    assert "hush-hush" not in page
    sealed = link.sealed_password
    form = {
        **{name: getattr(link, name) for name in smsc_links.FIELDS if getattr(link, name) is not False},
        "window": 5,
        "password": "",
    }
    assert client.post(url, form).status_code == 302
    link = SmscLink.objects.get()
    assert (link.window, link.sealed_password) == (5, sealed)
    client.post(url, {**form, "password": "another"})
    assert SmscLink.objects.get().sealed_password != sealed
    assert client.get(reverse("admin:messaging_smsmessage_changelist")).status_code == 200
    assert client.get(reverse("admin:messaging_smspart_changelist")).status_code == 200

"""Adding a device as staff: one service with the other doors, refusals at their fields, a key that is shown once."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Operator, Subscriber
from accounts.roles import Role
from accounts.services import staff as roles
from audit.models import LedgerEvent
from devices.inventory.models import Credential, Device
from devices.inventory.services import credentials
from provisioning.models import Job
from provisioning.services import key_sheet

pytestmark = pytest.mark.django_db
ADD = "/admin/inventory/device/add/"


@pytest.fixture
def staff(member: Any, north: Operator) -> Client:
    client = Client()
    client.force_login(member(Role.PROVISIONING, north))
    return client


@pytest.fixture
def add(staff: Client, north: Operator) -> Any:
    def posted(client: Client = staff, **typed: str) -> Any:
        said = {
            "operator": str(north.pk),
            "endpoint": "urn:dev:ops:32473-A-1",
            "reach": "ip",
            "onboarding": "bootstrap",
            "security": "psk",
        }
        return client.post(ADD, {**said, **typed})

    return posted


def _text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_a_device_is_added_and_its_key_is_shown_once(staff, add, north):
    answer = add(name="Water meter")
    device = Device.objects.get()
    assert answer.url == f"/admin/inventory/device/{device.pk}/key/"
    assert (device.operator, device.subscriber, device.name) == (north, None, "Water meter")
    assert Job.objects.get(device=device).requested_by.startswith("user:")
    page = _text(staff.get(answer.url))
    secret = credentials.opened(credential=Credential.objects.get(), purpose="test").parts.hex()
    assert secret in page.replace(" ", "")
    assert "<svg" in page
    assert "urn%3Adev%3Aops%3A32473-A-1" in page
    assert staff.get(f"/admin/inventory/device/{device.pk}/change/").content.decode().count("/key/") == 1
    assert staff.post(answer.url).url == f"/admin/inventory/device/{device.pk}/change/"
    assert staff.get(answer.url).status_code == 302
    assert secret not in _text(staff.get(f"/admin/inventory/device/{device.pk}/change/")).replace(" ", "")


def test_the_ledger_names_who_added_it(add, member, north):
    add()
    event = LedgerEvent.objects.get(action="device.added")
    assert event.actor_kind == "user"
    assert event.actor_id == str(Job.objects.get().requested_by.removeprefix("user:"))


def test_a_key_from_the_label_is_not_shown(staff, add):
    answer = add(psk_key="00112233445566778899aabbccddeeff", psk_identity="meter-1")
    device = Device.objects.get()
    assert answer.url == f"/admin/inventory/device/{device.pk}/change/"
    assert Credential.objects.get().identity == "meter-1"
    assert staff.get(f"/admin/inventory/device/{device.pk}/key/").status_code == 302


def test_it_is_a_subscribers_where_the_number_of_the_account_is_given(add, subscriber):
    add(account=f" {subscriber.number.lower().replace('-', ' ')} ")
    assert Device.objects.get().subscriber == subscriber


def test_an_account_with_another_operator_is_none_here(add, person, south):
    theirs = Subscriber.objects.create(user=person("kim@example.com"), operator=south, number="SOU-1234-5671")
    answer = add(account=theirs.number)
    assert "has no account with this number" in _text(answer)
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"endpoint": "bell\x07"}, "endpoint", "character"),
        ({"endpoint": "x" * 256}, "endpoint", "at most 252"),
        ({"psk_key": "0011"}, "psk_key", "16"),
        ({"msisdn": "12"}, "msisdn", "number"),
        ({"reach": "sms"}, "reach", "SMS"),
        ({"security": "none"}, "security", "only encrypted"),
        ({"security": "none", "psk_key": "00112233445566778899aabbccddeeff"}, "psk_key", "Leave this empty"),
        ({"reach": "gateway", "psk_identity": "meter-1"}, "psk_identity", "Leave this empty"),
        ({"operator": ""}, "operator", "required"),
        ({"reach": "pigeon"}, "reach", "valid choice"),
    ],
)
def test_what_is_refused_stands_at_its_field_and_nothing_typed_is_lost(add, typed, field, said):
    answer = add(name="Kept", account="", **typed)
    form = answer.context["form"]
    assert said in " ".join(form.errors[field])
    assert 'value="Kept"' in _text(answer)
    assert not Device.objects.exists()
    assert not LedgerEvent.objects.filter(action="device.added").exists()


def test_a_name_that_is_taken_is_refused_at_its_field(add):
    add()
    answer = add()
    assert "endpoint" in answer.context["form"].errors
    assert Device.objects.count() == 1


def test_a_second_press_of_the_button_leads_to_the_same_key(staff, add):
    first = add(submission="this very form")
    second = add(submission="this very form")
    assert first.url == second.url
    assert Device.objects.count() == 1


def test_a_probable_slip_is_asked_about_once(add):
    asked = add(endpoint="urn:imei:490154203237519")
    assert "Compare it with the label" in _text(asked)
    assert 'name="sure" value="urn:imei:490154203237519"' in _text(asked)
    add(endpoint="urn:imei:490154203237519", sure="urn:imei:490154203237519")
    assert Device.objects.get().endpoint == "urn:imei:490154203237519"


def test_a_device_that_has_its_account_goes_to_the_management_server(staff, add, settings):
    answer = add(onboarding="direct")
    assert f":{settings.COAPS_PORT}" in _text(staff.get(answer.url))
    assert Credential.objects.get().plane == "management"


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.READ_ONLY, Role.AUDITOR])
def test_who_may_not_add_is_not_offered_it(member, north, add, role):
    client = Client()
    client.force_login(member(role, north))
    assert client.get(ADD).status_code == 403
    assert add(client).status_code == 403
    assert ADD not in client.get("/admin/inventory/device/").content.decode()
    assert ADD not in client.get("/admin/").content.decode()


def test_a_foreign_operator_is_neither_offered_nor_taken(staff, add, south):
    assert "Southsea" not in _text(staff.get(ADD))
    answer = add(operator=str(south.pk))
    assert "operator" in answer.context["form"].errors
    assert not Device.objects.exists()


def test_a_role_elsewhere_adds_nothing_here(member, north, south, add):
    both = member(Role.READ_ONLY, north)
    roles.grant(user=both, operator=south, role=Role.PROVISIONING)
    client = Client()
    client.force_login(both)
    assert "operator" in add(client).context["form"].errors
    assert add(client, operator=str(south.pk)).status_code == 302
    assert Device.objects.get().operator == south


def test_nobody_elses_key_is_shown(staff, add, member, north, south):
    address = add().url
    for one in (member(Role.ADMINISTRATOR, north), member(Role.PROVISIONING, south)):
        client = Client()
        client.force_login(one)
        assert client.get(address).status_code in (302, 404)


def test_a_key_is_shown_no_longer_than_it_may_be(staff, add, monkeypatch):
    address = add().url
    monkeypatch.setattr(key_sheet, "KEPT", timedelta(seconds=-1))
    assert staff.get(address).status_code == 302

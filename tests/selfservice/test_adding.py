"""Adding a device: what is asked, what is kept, what a second press does, and the key that is shown for a while."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Subscriber
from accounts.services import subscribers
from devices.inventory import vault
from devices.inventory.models import Credential, Device
from devices.inventory.services import credentials, devices
from provisioning.models import Job
from provisioning.services import key_sheet
from tests.devices import making

pytestmark = pytest.mark.django_db
KEY = "00112233445566778899aabbccddeeff"


def post(client: Client, **data: str):
    return client.post("/devices/add/", {"reach": "ip", "key_source": "made", **data})


def text(response) -> str:
    return html.unescape(response.content.decode())


def test_a_made_key_is_shown_as_hex_text_and_qr_until_it_is_noted(as_sam: Client):
    answer = post(as_sam, endpoint="urn:dev:1", name="Meter")
    device = Device.objects.get(endpoint="urn:dev:1")
    assert answer.url == f"/devices/{device.pk}/"
    assert Job.objects.filter(device=device).exists()
    key = vault.open_sealed(Credential.objects.get(device=device).sealed).hex()
    page = as_sam.get(answer.url)
    shown = text(page)
    assert key in shown
    assert "<svg" in shown
    assert "data-key-sheet" in shown
    assert "no-store" in page.headers["Cache-Control"]
    assert key in text(as_sam.get(answer.url))  # a reload costs nothing
    assert as_sam.post(f"{answer.url}key-noted/").url == answer.url
    again = text(as_sam.get(answer.url))
    assert key not in again
    assert "data-key-sheet" not in again
    assert "The key was not noted?" in again


@pytest.mark.parametrize("how", ["time", "use", "another key"])
def test_a_made_key_is_shown_no_longer_than_it_must_be(as_sam: Client, how: str, monkeypatch):
    answer = post(as_sam, endpoint="urn:dev:1")
    credential = Credential.objects.get()
    assert "data-key-sheet" in text(as_sam.get(answer.url))
    if how == "time":
        monkeypatch.setattr(key_sheet, "KEPT", timedelta(seconds=-1))
    elif how == "use":
        credentials.first_use(credential_ids=[credential.pk], now=timezone.now())
    else:
        devices.renew_key(device=credential.device)
    assert "data-key-sheet" not in text(as_sam.get(answer.url))
    monkeypatch.undo()
    assert "data-key-sheet" not in text(as_sam.get(answer.url))  # forgotten, not hidden


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("urn:imei:490154203237519", "does not fit the others"),
        ("490154203237518", "urn:imei:490154203237518"),
        ("my-d\u0435vice-1", "mixes alphabets"),
        ("MY-DEVICE-1", "You have my-device-1 already"),
    ],
)
def test_a_probable_slip_is_asked_about_once_and_then_believed(as_sam: Client, endpoint: str, says: str):
    post(as_sam, endpoint="my-device-1")
    asked = text(post(as_sam, endpoint=endpoint))
    assert says in asked
    assert f'name="sure" value="{endpoint}"' in asked
    assert not Device.objects.filter(endpoint=endpoint).exists()
    assert post(as_sam, endpoint=endpoint, sure="something else").status_code == 200
    assert post(as_sam, endpoint=endpoint, sure=endpoint).status_code == 302
    assert Device.objects.filter(endpoint=endpoint).exists()


def test_the_key_lies_sealed_in_the_session(as_sam: Client):
    post(as_sam, endpoint="urn:dev:1")
    key = vault.open_sealed(Credential.objects.get().sealed).hex()
    assert key not in str(dict(as_sam.session.items()))


def test_a_printed_key_is_taken_with_blanks_and_not_shown(as_sam: Client):
    spaced = " ".join(re.findall("..", KEY.upper()))
    answer = post(as_sam, endpoint="urn:dev:1", key_source="printed", psk_key=spaced, psk_identity="label-1")
    credential = Credential.objects.get()
    assert vault.open_sealed(credential.sealed).hex() == KEY
    assert credential.identity == "label-1"
    assert "data-key-sheet" not in text(as_sam.get(answer.url))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"endpoint": ""}, "Enter the endpoint name"),
        ({"key_source": "printed", "psk_key": ""}, "The key is missing"),
        ({"key_source": "printed", "psk_key": "00zz"}, "is not a hex digit"),
        ({"key_source": "printed", "psk_key": "00112"}, "one is missing"),
        ({"key_source": "printed", "psk_key": "0011"}, "must have 16 to 64 bytes"),
        ({"reach": "sms"}, "The phone number is missing"),
        ({"reach": "sms", "msisdn": "0151 123"}, "is no international phone number"),
        ({"reach": "sms", "msisdn": "+49 151 1234567"}, "takes no devices by SMS yet"),
    ],
)
def test_a_mistake_is_said_at_the_field_and_nothing_typed_is_lost(as_sam: Client, typed: dict, said: str):
    page = text(post(as_sam, **{"endpoint": "urn:dev:mine", "name": "My meter", **typed}))
    assert said in page
    assert "My meter" in page
    for name, value in typed.items():
        assert name in ("key_source", "reach") or value in page
    assert not Device.objects.exists()


def test_no_encryption_only_where_the_operator_allows_it(as_sam: Client, sam: Subscriber):
    assert "No encryption" not in text(as_sam.get("/devices/add/"))
    post(as_sam, endpoint="urn:dev:1", key_source="none")
    assert not Device.objects.exists()
    sam.operator.allows_nosec = True
    sam.operator.save()
    assert "No encryption" in text(as_sam.get("/devices/add/"))
    post(as_sam, endpoint="urn:dev:1", key_source="none")
    assert Device.objects.get().security == "none"


def test_the_same_form_sent_twice_adds_one_device(as_sam: Client):
    page = text(as_sam.get("/devices/add/"))
    submission = re.search(r'name="submission" value="([^"]+)"', page).group(1)
    first = post(as_sam, endpoint="urn:dev:1", submission=submission)
    second = post(as_sam, endpoint="urn:dev:1", submission=submission)
    assert first.url == second.url
    assert Device.objects.count() == 1
    assert "data-key-sheet" in text(as_sam.get(second.url))


def test_a_second_press_whose_first_answer_is_still_under_way_leads_to_the_device(as_sam: Client):
    first = post(as_sam, endpoint="urn:dev:1")
    assert post(as_sam, endpoint="urn:dev:1").url == first.url


def test_a_taken_endpoint_says_what_to_do(as_sam: Client, foreign: Subscriber):
    making.device(foreign.operator, subscriber=foreign, endpoint="urn:dev:taken")
    page = text(post(as_sam, endpoint="urn:dev:taken"))
    assert "is in use already" in page
    assert foreign.user.email not in page
    assert "Southsea" not in page


def test_an_own_taken_endpoint_links_to_the_device(as_sam: Client, sam: Subscriber):
    device = making.device(sam.operator, subscriber=sam, endpoint="urn:dev:mine")
    Device.objects.filter(pk=device.pk).update(created_at=making.NOW)
    page = text(post(as_sam, endpoint="urn:dev:mine"))
    assert "already added" in page
    assert f"/devices/{device.pk}/" in page


def test_with_several_accounts_the_operator_is_asked(as_sam: Client, sam: Subscriber, south):
    other = subscribers.open_account(user=sam.user, operator=south)
    assert "Choose the operator" in text(post(as_sam, endpoint="urn:dev:1"))
    post(as_sam, endpoint="urn:dev:1", account=str(other.pk))
    assert Device.objects.get().subscriber == other


def test_nobody_adds_to_a_foreign_account(as_sam: Client, foreign: Subscriber, sam: Subscriber):
    post(as_sam, endpoint="urn:dev:1", account=str(foreign.pk))
    assert not Device.objects.exists()


def test_without_an_account_the_page_says_where_to_open_one(client: Client, db: None):
    client.force_login(making.person(), backend="allauth.account.auth_backends.AuthenticationBackend")
    page = text(client.get("/devices/add/"))
    assert "First, an account with an operator" in page
    assert "/profile/" in page


def test_the_endpoint_may_come_with_the_address(as_sam: Client):
    assert 'value="urn:dev:7"' in text(as_sam.get("/devices/add/?endpoint=urn:dev:7"))

"""The inventory in the admin: the list, the page of a device, and the actions that ask why."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from accounts.services import staff
from audit.models import LedgerEvent
from backoffice import requesters
from devices.commands.models import Command
from devices.inventory.models import Credential, Device, Knock
from devices.inventory.services import devices
from devices.registry.models import RegistrationDetail

pytestmark = pytest.mark.django_db
LIST = "/admin/inventory/device/"


@pytest.fixture
def signed_in(member, north):
    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(member(role, north))
        return client

    return sign_in


def page_of(device: Device) -> str:
    return reverse("admin:inventory_device_change", args=[device.pk])


def act(client: Client, action: str, *devices: Device, **data: str):
    selected = [str(device.pk) for device in devices]
    return client.post(
        LIST, {"action": action, "_selected_action": selected, "index": "0", **data}, follow=True
    )


def test_the_list_costs_the_same_for_many(signed_in, device, registered, django_assert_max_num_queries):
    client = signed_in(Role.ADMINISTRATOR)
    for number in range(60):
        registered(device(f"meter-{number}", own=True))
    with django_assert_max_num_queries(9):
        page = client.get(LIST)
    assert page.content.decode().count("NOR-") == 50
    assert "over REST" in page.content.decode()


def test_search_and_session_filter(signed_in, fleet):
    client = signed_in(Role.READ_ONLY)
    for query, expected in (
        ("q=asleep", 1),
        ("session=lost", 2),
        ("session=nonsense", 6),
        ("q=192.0.2.7", 5),
    ):
        assert len(client.get(f"{LIST}?{query}").context["cl"].result_list) == expected, query


def test_the_page_of_a_device(signed_in, north, subscriber, registered):
    added = devices.add(operator=north, subscriber=subscriber, endpoint="meter", psk_identity="meter-id")
    device = added.device
    registered(device)
    Command.objects.create(
        device=device, operation="read", path="/3/0", requested_by="system", expires_at=device.created_at
    )
    Knock.objects.create(
        plane="management",
        cause="PSK_MISMATCH",
        claimed_name="x",
        host="192.0.2.9",
        device=device,
        operator=north,
    )
    html = signed_in(Role.ADMINISTRATOR).get(page_of(device)).content.decode()
    for words in (
        "registered",
        "192.0.2.7:56830",
        "/rd/r",
        "meter-id",
        "Read /3/0",
        "PSK_MISMATCH",
        "LwM2M 1.1",
    ):
        assert words in html, words
    assert f"/support/devices/{device.pk}/" in html
    assert added.secret_to_show.parts.hex() not in html
    assert Credential.objects.get(device=device).sealed not in html
    assert 'name="_save"' not in html
    html = signed_in(Role.READ_ONLY).get(page_of(device)).content.decode()
    assert "meter-id" not in html
    assert f"/support/devices/{device.pk}/" in html


@pytest.mark.parametrize("links", [{"1": {}}, {"objects": []}, ["x"], "text", 7])
def test_a_device_whose_object_list_cannot_be_read_has_its_pages(signed_in, device, registered, links):
    row = device("broken", own=True)
    registered(row)
    RegistrationDetail.objects.filter(device=row).update(object_links=links)
    client = signed_in(Role.ADMINISTRATOR)
    for page in (page_of(row), f"{LIST}{row.pk}/manage/", f"/support/devices/{row.pk}/"):
        assert client.get(page).status_code == 200, page
    for path in ("", "resources/", "registrations/"):
        assert client.get(f"/api/v1/devices/broken/{path}").status_code in (200, 404)


def test_a_device_nobody_has_seen_has_a_page_too(signed_in, device):
    html = signed_in(Role.READ_ONLY).get(page_of(device("meter"))).content.decode()
    assert "never seen" in html


def test_devices_are_not_deleted_here(signed_in, device):
    client = signed_in(Role.ADMINISTRATOR)
    assert (
        client.post(f"/admin/inventory/device/{device('meter').pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def test_an_action_asks_why_and_says_so_in_the_ledger(signed_in, device):
    client, one, two = signed_in(Role.PROVISIONING), device("one"), device("two")
    asked = act(client, "suspend", one, two).content.decode()
    assert "Suspend these devices?" in asked
    assert Device.objects.get(pk=one.pk).access == "active"
    assert "Say why" in act(client, "suspend", one, two, reason=" ").content.decode()
    done = act(client, "suspend", one, two, reason="invoice 7 unpaid").content.decode()
    assert "2 devices suspended." in done
    events = LedgerEvent.objects.filter(action="device.suspended", reason="invoice 7 unpaid")
    assert {event.device_id for event in events} == {one.pk, two.pk}
    assert {event.actor_kind for event in events} == {"user"}
    assert "1 device active again." in act(client, "resume", one, reason="paid").content.decode()


def test_what_the_service_refuses_is_told(signed_in, device):
    retired, living = device("gone", access="retired"), device("here")
    page = act(signed_in(Role.ADMINISTRATOR), "suspend", retired, living, reason="x").content.decode()
    assert "1 device suspended." in page
    assert "Not done for gone: " in page


def test_bar_and_retire(signed_in, device, registered):
    client, one = signed_in(Role.ADMINISTRATOR), device("one")
    registered(one)
    act(client, "bar", one, reason="stolen")
    one.refresh_from_db()
    assert (one.access, one.registration.is_live) == ("barred", False)
    act(client, "retire", one, reason="scrapped")
    assert Device.objects.get(pk=one.pk).access == "retired"


def test_who_may_not_change_has_no_action(signed_in, device):
    one = device("one")
    for role in (Role.SUPPORT, Role.READ_ONLY, Role.AUDITOR):
        client = signed_in(role)
        assert 'value="suspend"' not in client.get(LIST).content.decode()
        act(client, "suspend", one, reason="because")
        assert Device.objects.get(pk=one.pk).access == "active"


def test_an_action_reaches_only_the_operators_whose_role_allows_it(member, device, north, south):
    user = member(Role.READ_ONLY, north)
    staff.grant(user=user, operator=south, role=Role.PROVISIONING)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    mine, readable = device("mine", operator=south), device("readable")
    page = act(client, "suspend", mine, readable, reason="x").content.decode()
    assert "1 device suspended." in page
    assert Device.objects.get(pk=readable.pk).access == "active"
    assert "Your role does not allow this" in act(client, "suspend", readable, reason="x").content.decode()


def test_select_all_reaches_all_pages(signed_in, north):
    Device.objects.bulk_create(Device(operator=north, endpoint=f"meter-{n}") for n in range(60))
    client = signed_in(Role.PROVISIONING)
    first = Device.objects.first()
    asked = act(client, "suspend", first, select_across="1").content.decode()
    assert "and 40 more" in asked
    assert 'name="select_across" value="1"' in asked
    act(client, "suspend", first, select_across="1", reason="all of them")
    assert Device.objects.filter(access="suspended").count() == 60


def test_the_waiting_room_finds_the_whole_name(signed_in, north):
    Knock.objects.create(
        plane="bootstrap", cause="ENDPOINT_UNKNOWN", claimed_name="stray-device", host="192.0.2.1"
    )
    client = signed_in(Role.SUPPORT)
    knocks = "/admin/inventory/knock/"
    assert "stray-device" not in client.get(knocks).content.decode()
    assert "ENDPOINT_UNKNOWN" not in client.get(f"{knocks}?q=stray").content.decode()
    assert "ENDPOINT_UNKNOWN" in client.get(f"{knocks}?q=stray-device").content.decode()


def test_the_board_is_in_the_list_of_models(signed_in):
    assert "/admin/inventory/device/board/" in signed_in(Role.READ_ONLY).get("/admin/").content.decode()


def test_history_leads_to_the_timeline_and_an_end_device_has_its_gateways_security(signed_in, device):
    one = device("meter")
    client = signed_in(Role.SUPPORT)
    answer = client.get(f"/admin/inventory/device/{one.pk}/history/")
    assert (answer.status_code, answer.url) == (302, f"/support/devices/{one.pk}/")
    told = signed_in(Role.READ_ONLY).get(f"/admin/inventory/device/{one.pk}/history/").content.decode()
    assert "recorded in the ledger" in told
    assert "wasn" not in told  # "It probably wasn't added via this admin site."
    behind = device("behind", reach="gateway", security="none", onboarding="direct")
    page = client.get(page_of(behind)).content.decode()
    assert "That of its gateway" in page
    assert "connects without encryption" not in page
    assert "Ready-made" not in page


@pytest.mark.parametrize(
    ("code", "said"),
    [("system", "the portal"), ("user:999999", "a former user"), ("job:3", "job 3"), ("x", "x")],
)
def test_whoever_asked_is_said_in_words(db, code, said):
    assert requesters.words(code) == said

"""The start page, the list, a device's page, letting a device go, and the profile."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from accounts.models import Subscriber
from accounts.roles import Role
from accounts.services import operators as operator_services
from devices.inventory.models import Device
from devices.registry.models import Registration
from provisioning.services import lifecycle, onboarding
from tests.devices import making

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def text(response) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def registered(device: Device, *, seconds_ago: int = 10, lifetime: int = 300, **more: object) -> Registration:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    return Registration.objects.create(
        device=device,
        registration_id=f"r{device.pk}",
        transport="udp",
        host="192.0.2.1",
        port=1,
        flow="",
        lifetime_seconds=lifetime,
        registered_at=at,
        last_seen_at=at,
        expires_at=at + timedelta(seconds=lifetime),
        **more,
    )


# -- start ---------------------------------------------------------------------------------------------------


def test_signed_out_sees_the_open_operators(client: Client, north, south):
    operator_services.change(operator=south, changes={"is_open_for_signup": False})
    page = text(client.get("/"))
    assert "/accounts/signup/?operator=northwind" in page
    assert "southsea" not in page


def test_a_subscriber_starts_at_the_devices(as_sam: Client):
    assert as_sam.get("/").url == "/devices/"


def test_staff_choose_and_see_only_what_their_role_may(client: Client, north):
    for role in (Role.READ_ONLY, Role.SUPPORT):  # whoever sees devices may read what happened to them
        client.force_login(making.member(north, role), backend=BACKEND)
        page = text(client.get("/"))
        assert "Board" in page
        assert "/support/" in page
    no_role = making.person("nobody@example.org")
    type(no_role).objects.filter(pk=no_role.pk).update(is_staff=True)
    client.force_login(no_role, backend=BACKEND)
    assert "/support/" not in text(client.get("/"))


# -- the list ------------------------------------------------------------------------------------------------


def test_an_empty_list_invites(as_sam: Client):
    assert "Add your first device" in text(as_sam.get("/devices/"))


def test_the_list_shows_own_devices_with_their_state_in_words(as_sam, sam, foreign):
    online = making.device(sam.operator, subscriber=sam, name="Online one")
    asleep = making.device(sam.operator, subscriber=sam, name="Sleepy one")
    making.device(sam.operator, subscriber=sam, name="New one")
    making.device(foreign.operator, subscriber=foreign, name="Foreign one")
    registered(online)
    registered(asleep, seconds_ago=200, queue_mode=True)
    page = text(as_sam.get("/devices/"))
    assert "Online one" in page
    assert "Asleep until about" in page
    assert "Not seen yet" in page
    assert "Foreign one" not in page


def test_search_and_filters(as_sam: Client, sam: Subscriber):
    registered(making.device(sam.operator, subscriber=sam, name="Blue meter"))
    registered(making.device(sam.operator, subscriber=sam, name="Red meter"), seconds_ago=9000)
    making.device(sam.operator, subscriber=sam, name="Green tracker")
    assert "Red" not in text(as_sam.get("/devices/?q=blue+met"))
    assert "Green" not in text(as_sam.get("/devices/?show=online"))
    silent = text(as_sam.get("/devices/?show=lost"))
    assert "Red meter" in silent
    assert "Blue" not in silent
    assert "Blue" not in text(as_sam.get("/devices/?show=setup"))
    assert "Nothing found" in text(as_sam.get("/devices/?q=nothing"))
    assert as_sam.get("/devices/?page=9999&show=nonsense").status_code == 200


def test_a_released_device_is_not_listed(as_sam: Client, sam: Subscriber):
    device = making.device(sam.operator, subscriber=sam, name="Old one")
    lifecycle.release(device=device)
    assert "Old one" not in text(as_sam.get("/devices/"))
    assert as_sam.get(f"/devices/{device.pk}/").status_code == 404


def test_the_list_costs_the_same_for_three_and_for_fifty(
    as_sam: Client, sam: Subscriber, django_assert_max_num_queries
):
    for _ in range(50):
        registered(making.device(sam.operator, subscriber=sam))
    with django_assert_max_num_queries(9):
        text(as_sam.get("/devices/"))


# -- one device ----------------------------------------------------------------------------------------------


def test_a_device_page_shows_the_way_and_stays_live(as_sam, sam, django_assert_max_num_queries):
    device = onboarding.add_device(operator=sam.operator, subscriber=sam, endpoint="urn:dev:9").device
    with django_assert_max_num_queries(18):
        page = text(as_sam.get(f"/devices/{device.pk}/"))
    assert f'data-live="/ws/devices/{device.pk}/stepper/"' in page
    assert page.count('class="stop ') == 6


@pytest.mark.parametrize("path", ["", "release/"])
def test_a_foreign_device_is_not_there(as_sam: Client, foreign: Subscriber, path: str):
    device = making.device(foreign.operator, subscriber=foreign)
    assert as_sam.get(f"/devices/{device.pk}/{path}").status_code == 404
    assert as_sam.post(f"/devices/{device.pk}/release/").status_code == 404
    assert Device.objects.get(pk=device.pk).access == "active"


def test_operator_staff_do_not_see_it_here(client: Client, sam: Subscriber):
    device = making.device(sam.operator, subscriber=sam)
    client.force_login(making.member(sam.operator, Role.ADMINISTRATOR), backend=BACKEND)
    assert client.get(f"/devices/{device.pk}/").status_code == 404


def test_signed_out_is_sent_to_sign_in(client: Client, db: None):
    for path in ("/devices/", "/devices/add/", "/devices/1/", "/devices/1/release/", "/profile/"):
        assert client.get(path).url == f"/accounts/login/?next={path}"


def test_release_asks_first(as_sam: Client, sam: Subscriber):
    device = making.device(sam.operator, subscriber=sam, name="Going")
    assert "cannot be undone" in text(as_sam.get(f"/devices/{device.pk}/release/"))
    assert as_sam.post(f"/devices/{device.pk}/release/").url == "/devices/"
    assert Device.objects.get(pk=device.pk).access == "retired"
    assert "is released" in text(as_sam.get("/devices/"))


# -- profile -------------------------------------------------------------------------------------------------


def test_profile_opens_a_further_account(as_sam: Client, sam: Subscriber, south):
    assert "southsea" in text(as_sam.get("/profile/"))
    assert as_sam.post("/profile/accounts/", {"operator": "southsea"}).url == "/profile/"
    page = text(as_sam.get("/profile/"))
    assert sam.user.subscribers.count() == 2
    assert "Open an account with another operator" not in page


def test_profile_says_which_account_cannot_be_opened(as_sam: Client):
    assert "takes no new accounts" in text(as_sam.post("/profile/accounts/", {"operator": "northwind"}))


def test_the_name_is_saved_and_recorded(as_sam: Client, sam: Subscriber):
    as_sam.post("/profile/name/", {"name": "Sam S."})
    sam.user.refresh_from_db()
    assert sam.user.name == "Sam S."


# -- errors --------------------------------------------------------------------------------------------------


def test_not_found_helps(client: Client, db: None):
    page = client.get("/nowhere/")
    assert page.status_code == 404
    assert "/accounts/login/?next=/nowhere/" in page.content.decode()


def test_server_error_page_needs_no_request_and_no_database(settings):
    for name in ("400.html", "500.html", "403_csrf.html"):
        assert "/static/portal/portal.css" in render_to_string(name)

"""The support desk: who may sit there, finding a device, its page, and the waiting room."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from audit import ledger
from audit.causes import CAUSES
from devices.inventory.models import Knock, Plane
from devices.inventory.services import devices
from provisioning.models import BootstrapExchange, BootstrapSession, SessionState
from provisioning.services import lifecycle, onboarding
from support import about
from support.consumers import PARTS, TimelineConsumer
from tests.devices import making

pytestmark = pytest.mark.django_db


def text(response) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


@pytest.fixture
def device(north):
    subscriber = making.subscriber(north, making.person("caller@home.example"))
    return onboarding.add_device(
        operator=north, subscriber=subscriber, endpoint="urn:dev:alarm-3", name="Workshop alarm"
    ).device


@pytest.fixture
def foreign(south):
    return making.device(south, endpoint="urn:dev:foreign-3", name="Foreign alarm")


def knock(name: str, **more) -> Knock:
    usual = {"plane": Plane.BOOTSTRAP, "cause": "PSK_IDENTITY_UNKNOWN", "host": "198.51.100.4"}
    return Knock.objects.create(**{**usual, "claimed_name": name, **more})


# -- who -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", ["/support/", "/support/waiting-room/"])
def test_whoever_may_see_devices_may_sit_here(sign_in, north, role, path):
    assert sign_in(making.member(north, role)).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/support/", "/support/waiting-room/", "/support/devices/1/"])
def test_others_may_not(sign_in, client, north, path):
    assert client.get(path).url.startswith("/accounts/login/")
    answer = sign_in(making.person()).get(path)
    assert answer.status_code == 403
    assert b"Your role does not allow this" in answer.content


def test_a_foreign_device_is_not_there(desk, foreign):
    assert desk.get(f"/support/devices/{foreign.pk}/").status_code == 404
    assert "Foreign" not in text(desk.get("/support/?q=urn:dev:foreign-3"))


def test_a_role_elsewhere_does_not_open_this_operator(sign_in, north, south, agent, device, foreign):
    client = sign_in(agent)
    assert client.get(f"/support/devices/{device.pk}/").status_code == 200
    assert client.get(f"/support/devices/{foreign.pk}/").status_code == 404


# -- search --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked", ["urn:dev:alarm-3", "alarm-3", "workshop", "caller@home", "number", "address", "serial"]
)
def test_one_hit_opens_at_once(desk, device, north, asked):
    making.device(north, endpoint="urn:dev:other")
    BootstrapSession.objects.create(
        operator=north, device=device, transport="dtls", host="203.0.113.9", port=1, content_format=0
    )
    devices.describe(device=device, facts={"serial_number": "SN-77"})
    words = {"number": device.subscriber.number, "address": "203.0.113.9", "serial": "SN-77"}
    answer = desk.get("/support/", {"q": words.get(asked, asked)})
    assert answer.status_code == 302
    assert answer.url == f"/support/devices/{device.pk}/"


def test_several_hits_are_listed_the_exact_one_first(desk, device, north):
    making.device(north, endpoint="urn:dev:alarm-33")
    page = text(desk.get("/support/?q=urn:dev:alarm-3"))
    assert page.index("urn:dev:alarm-3<") < page.index("urn:dev:alarm-33<")


def test_the_search_costs_the_same_for_two_and_for_forty(desk, north, django_assert_max_num_queries):
    subscriber = making.subscriber(north)
    for number in range(40):
        making.device(north, subscriber=subscriber, endpoint=f"urn:dev:many-{number}")
    with django_assert_max_num_queries(9):
        text(desk.get("/support/?q=many"))


def test_no_device_but_a_knock_under_exactly_this_name(desk, db):
    knock("urn:dev:nobody", count=12)
    page = text(desk.get("/support/?q=urn:dev:nobody"))
    assert "12×" in page
    assert "belongs to no device" in page
    assert "knocks" not in text(desk.get("/support/?q=urn:dev:nobod"))


# -- one device ----------------------------------------------------------------------------------------------


def test_the_device_page_tells_the_whole_story(desk, device, north, django_assert_max_num_queries):
    session = BootstrapSession.objects.create(
        operator=north,
        device=device,
        transport="dtls",
        host="203.0.113.9",
        port=1,
        content_format=0,
        state=SessionState.FINISH_REFUSED,
        cause="BOOTSTRAP_FINISH_REFUSED",
        finished_at=timezone.now(),
    )
    at = timezone.now()
    BootstrapExchange.objects.create(
        session=session, position=1, operation="finish", path="/bs", sent_at=at,
        answered_at=at + timedelta(milliseconds=120), response_code="4.06",
    )  # fmt: skip
    knock("urn:dev:alarm-3", device=device, operator=north, count=3)
    with django_assert_max_num_queries(32):
        page = text(desk.get(f"/support/devices/{device.pk}/"))
    for said in ("Device added", "Key made", "4.06", "not acceptable", "120 ms", "3×", "caller@home.example"):
        assert said in page, said
    assert "Check inventory" in page
    assert f'data-live="/ws/support/devices/{device.pk}/?' in page


def test_the_timeline_is_filtered_by_cause_action_and_text(desk, device):
    lifecycle.suspend(device=device, reason="Bill of March")
    ledger.record(
        action="registration.expired",
        operator_id=device.operator_id,
        device_id=device.pk,
        result="failed",
        cause="LIFETIME_EXPIRED",
    )
    here = f"/support/devices/{device.pk}/"

    def shown(**query: str) -> str:
        page = text(desk.get(here, query))
        return page[page.index('id="timeline"') : page.index('id="way"')]

    assert "Device added" in shown()
    assert "Device added" not in shown(action="device.suspended")
    assert "Bill of March" in shown(action="device.suspended")
    assert "Registration ran out" in shown(cause="LIFETIME_EXPIRED")
    assert "Bill of March" not in shown(cause="LIFETIME_EXPIRED")
    assert "Bill of March" in shown(q="march")
    assert "Device added" not in shown(q="march")
    assert "Nothing fits" in shown(q="no such thing")
    assert "Registration ran out" in shown(only="problems")
    assert "Device added" not in shown(only="problems")


def test_each_entry_says_why_to_the_desk_and_the_engineer(desk, device):
    ledger.record(
        action="registration.expired",
        operator_id=device.operator_id,
        device_id=device.pk,
        result="failed",
        cause="LIFETIME_EXPIRED",
    )
    page = text(desk.get(f"/support/devices/{device.pk}/"))
    cause = CAUSES["LIFETIME_EXPIRED"]
    for said in map(str, (cause.support, cause.engineer, cause.action, cause.code)):
        assert said in page


def test_a_long_timeline_is_cut_and_can_be_lengthened(desk, device):
    ledger.record_many(
        [
            ledger.Event(action="device.described", operator_id=device.operator_id, device_id=device.pk)
            for _ in range(130)
        ]
    )
    here = f"/support/devices/{device.pk}/"
    page = text(desk.get(here))
    assert page.count('data-key="event-') == 100
    assert "limit=200" in page
    assert text(desk.get(f"{here}?limit=200")).count('data-key="event-') > 130


# -- live ----------------------------------------------------------------------------------------------------


def listening(user, device, query=b"") -> TimelineConsumer:
    consumer = TimelineConsumer()
    consumer.user, consumer.kwargs, consumer.scope = user, {"device_id": device.pk}, {"query_string": query}
    return consumer


def test_only_the_operators_desk_may_listen(agent, device, foreign):
    assert listening(agent, device).allowed(agent, {"device_id": device.pk})
    assert not listening(agent, foreign).allowed(agent, {"device_id": foreign.pk})
    assert not listening(agent, device).allowed(device.subscriber.user, {"device_id": device.pk})


def test_a_change_sends_what_the_page_shows_under_its_filters(desk, agent, device):
    lifecycle.suspend(device=device, reason="Bill of March")
    query = "cause=&action=device.suspended&q=&limit=100"
    page = desk.get(f"/support/devices/{device.pk}/?{query}").content.decode()
    fragments = listening(agent, device, query.encode()).render(None)
    assert [fragment["target"] for fragment in fragments] == list(PARTS)
    for fragment in fragments:
        assert _without_ages(fragment["html"].strip()) in _without_ages(page), fragment["target"]


def _without_ages(drawn: str) -> str:
    """A second may pass between two drawings: how long ago something was is no difference."""
    return re.sub(r"(<time [^>]*data-relative[^>]*>)[^<]*", r"\1", drawn)


def test_the_filters_learn_what_happens_meanwhile(desk, agent, device):
    line = listening(agent, device)
    before = {one["target"]: one["html"] for one in line.render(None)}
    assert "DEVICE_UNTRIED_TICKET" not in before["cause"]
    ledger.record(
        action="reach.ticket",
        operator_id=device.operator_id,
        device_id=device.pk,
        cause="DEVICE_UNTRIED_TICKET",
    )
    after = {one["target"]: one["html"] for one in line.render(None)}
    assert "DEVICE_UNTRIED_TICKET" in after["cause"]
    assert after["action"] != before["action"]


# -- the waiting room ----------------------------------------------------------------------------------------


def test_the_waiting_room_shows_the_operators_knocks(desk, device, foreign, north, south):
    knock("urn:dev:alarm-3", device=device, operator=north, cause="ENDPOINT_IDENTITY_MISMATCH", count=1427)
    knock("urn:dev:foreign-3", device=foreign, operator=south)
    knock("urn:dev:nobody")
    page = text(desk.get("/support/waiting-room/"))
    assert "1,427" in page
    assert f"/support/devices/{device.pk}/" in page
    assert "foreign-3" not in page
    assert "urn:dev:nobody" not in page


def test_a_knock_of_nobodys_device_is_found_by_its_whole_name(desk, db):
    knock("urn:dev:nobody")
    assert "belongs to no device" in text(desk.get("/support/waiting-room/?q=urn:dev:nobody"))
    assert "Nothing found" in text(desk.get("/support/waiting-room/?q=urn:dev:nob"))


def test_the_platforms_own_staff_see_every_knock(sign_in, db):
    knock("urn:dev:nobody")
    root = User.objects.create_superuser("root@example.com", "a long password 1")
    assert "urn:dev:nobody" in text(sign_in(root).get("/support/waiting-room/"))


def test_an_empty_waiting_room_says_so(desk):
    assert "Nobody is waiting" in text(desk.get("/support/waiting-room/"))


def test_an_entry_says_what_it_is_about(desk, device):
    page = text(desk.get(f"/support/devices/{device.pk}/"))
    assert "for the bootstrap server" in page
    assert "Bring online" in page


@pytest.mark.parametrize(
    ("action", "detail", "said"),
    [
        ("job.step_done", {"step": "check_inventory"}, "Check inventory"),
        ("job.step_done", {"step": "a_step_of_old"}, "a step of old"),
        ("command.done", {"operation": "read", "path": "/3/0", "response_code": "2.05"}, "Read /3/0, 2.05"),
        ("bootstrap.ended", {"state": "finish_refused"}, "the device refused the configuration"),
        ("bootstrap.ended", {}, ""),
        ("anything.else", {"step": "check_inventory"}, ""),
    ],
)
def test_old_and_odd_events_are_told_too(action, detail, said):
    assert about.of(action, before=None, after=None, detail=detail) == said


def test_a_knock_without_a_name_is_seen_where_the_operators_devices_are(desk, device, foreign):
    BootstrapSession.objects.create(
        operator_id=device.operator_id,
        device=device,
        host="198.51.100.7",
        port=1,
        transport="dtls",
        content_format=112,
    )
    knock("", cause="DTLS_HANDSHAKE_FAILED", host="198.51.100.7", detail="no shared cipher")
    knock("", cause="DTLS_HANDSHAKE_FAILED", host="203.0.113.9")
    page = text(desk.get("/support/waiting-room/"))
    assert "198.51.100.7" in page
    assert "gave no name" in page
    assert "203.0.113.9" not in page
    assert "203.0.113.9" in text(desk.get("/support/waiting-room/?q=203.0.113.9"))  # the caller said it


def test_an_empty_waiting_room_does_not_say_that_all_were_let_in(desk, device):
    assert "No device that we know of is being refused." in text(desk.get("/support/waiting-room/"))
    knock("urn:dev:nobodys")
    page = text(desk.get("/support/waiting-room/"))
    assert "1 knock of devices that nobody added is not shown" in page
    assert "nobodys" not in page
    assert "was let in." not in page


def test_the_day_and_the_time_of_an_entry_are_of_one_zone(desk, device, settings):
    settings.TIME_ZONE = "Asia/Kolkata"
    at = timezone.now().replace(year=2026, month=5, day=1, hour=20, minute=0)
    with ledger.unit_of_work():
        ledger.record(
            action="device.described", operator_id=device.operator_id, device_id=device.pk, target="x", at=at
        )
    page = text(desk.get(f"/support/devices/{device.pk}/?action=device.described"))
    assert "2 May 2026" in page
    assert ">01:30:" in page

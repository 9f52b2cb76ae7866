"""A person's time zone: chosen or told by their browser, and everything they read is in it."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.erasing import Person
from accounts.errors import Refused
from accounts.services import erasure, preferences
from audit.models import LedgerEvent
from live import readers

pytestmark = pytest.mark.django_db

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
TELL, CHOOSE = "/profile/time-zone/browser/", "/profile/time-zone/"


@pytest.fixture
def reader(person, client: Client):
    user = person("reader@example.com")
    client.force_login(user, backend=BACKEND)
    return user


def footer(client: Client) -> str:
    return re.search(r"Times are ([^.]+)\.", client.get("/profile/").content.decode()).group(1)


def test_the_browsers_zone_counts_until_one_is_chosen(client, reader):
    assert "time-zone.js" in client.get("/profile/").content.decode()
    assert client.post(TELL, {"time_zone": "Asia/Kolkata"}).status_code == 204
    assert footer(client) == "IST"
    assert "time-zone.js" not in client.get("/profile/").content.decode()
    client.post(TELL, {"time_zone": "America/New_York"})  # another browser, abroad
    assert footer(client) == "IST"
    client.post(CHOOSE, {"time_zone": "Asia/Tokyo"})
    assert footer(client) == "JST"
    told = LedgerEvent.objects.filter(action="user.time_zone_set").order_by("pk")
    assert [event.detail for event in told] == [{"by_browser": True}, {"by_browser": False}]


def test_empty_is_again_what_the_browser_says(client, reader):
    preferences.choose_time_zone(user=reader, name="Asia/Tokyo")
    client.post(CHOOSE, {"time_zone": ""})
    assert footer(client) == timezone.now().astimezone(timezone.get_default_timezone()).tzname()
    client.post(TELL, {"time_zone": "Asia/Kolkata"})
    assert footer(client) == "IST"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "x" * 500, "", "\0"])
def test_a_zone_that_is_not_known_changes_nothing(client, reader, name):
    assert client.post(TELL, {"time_zone": name}).status_code == 204
    reader.refresh_from_db()
    assert reader.time_zone == ""
    assert readers.zone_of(reader) == timezone.get_default_timezone()


def test_a_wrong_choice_is_refused_in_words(client, reader):
    page = client.post(CHOOSE, {"time_zone": "Mars/Olympus"})
    assert (page.status_code, "Select a valid choice" in page.content.decode()) == (200, True)
    with pytest.raises(Refused, match="no time zone 'Mars/Olympus'") as refused:
        preferences.choose_time_zone(user=reader, name="Mars/Olympus")
    assert (refused.value.cause, refused.value.field) == ("VALIDATION_FAILED", "time_zone")


def test_a_zone_that_a_later_database_lost_is_the_portals(reader):
    reader.time_zone = "Gone/Away"
    assert readers.zone_of(reader) == timezone.get_default_timezone()


def test_whoever_is_not_signed_in_reads_the_portals_time_and_tells_nothing(client):
    assert client.post(TELL, {"time_zone": "Asia/Tokyo"}).status_code == 302
    assert "time-zone.js" not in client.get("/accounts/login/").content.decode()


def test_programs_keep_the_portals_offset(client, subscriber):
    client.force_login(subscriber.user, backend=BACKEND)
    preferences.choose_time_zone(user=subscriber.user, name="Asia/Tokyo")
    before = client.get("/api/v1/me/").json()["accounts"][0]["created_at"]
    assert before.endswith("Z" if settings.TIME_ZONE == "UTC" else "+05:30")
    assert footer(client) == "JST"


def test_it_is_erased_with_the_person(reader):
    preferences.choose_time_zone(user=reader, name="Asia/Tokyo")
    erasure.erase(Person(reader.pk, (), (), frozenset({reader.email})))
    reader.refresh_from_db()
    assert reader.time_zone == ""


def test_every_zone_can_be_chosen_by_its_region():
    offered = [name for _, zones in readers.zones_by_region() for name, _ in zones]
    assert sorted(offered) == list(readers.zone_names())
    assert {"Europe/Berlin", "Asia/Kolkata", "UTC"} <= set(offered)


def test_a_socket_speaks_the_language_of_its_browser(settings):
    settings.LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
    headers = [(b"accept-language", b"de-AT,de;q=0.9,en;q=0.5")]
    assert readers.language_of_scope({"headers": headers}) == "de"
    assert readers.language_of_scope({"headers": headers, "cookies": {"django_language": "en-gb"}}) == "en-gb"
    assert readers.language_of_scope({}) == "en-gb"

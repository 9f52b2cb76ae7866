"""`devices/`: who sees what, by which name, filtered how, for how many queries."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from accounts.models import User
from accounts.roles import Role
from audit import ledger
from devices.registry.selectors.sessions import Session

pytestmark = pytest.mark.django_db

STRANGE = (
    "urn:dev:ops:32473-A-1",
    "a/b/c",
    "with space",
    "100%",
    "question?mark#hash",
    "ümläut:日本",
    "a/timeline/b",
)


def endpoints(answer) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [row["endpoint"] for row in answer.json()["results"]]


@pytest.mark.parametrize("endpoint", STRANGE)
def test_any_endpoint_name_is_an_address(api, member, device, north, endpoint):
    device(endpoint)
    client = api(member(Role.SUPPORT, north))
    path = f"/api/v1/devices/{quote(endpoint, safe='')}/"
    assert client.get(path).json()["endpoint"] == endpoint
    assert client.get(f"{path}timeline/").status_code == 200


def test_each_sees_their_own(api, member, device, south, north, subscriber):
    device("theirs", operator=south)
    device("other")
    device("own", own=True)
    retired = device("gone", own=True, access="retired")
    assert endpoints(api(subscriber.user).get("/api/v1/devices/")) == ["own"]
    assert endpoints(api(member(Role.READ_ONLY, north)).get("/api/v1/devices/")) == ["gone", "own", "other"]
    foreign = api(member(Role.ADMINISTRATOR, south))
    assert endpoints(foreign.get("/api/v1/devices/")) == ["theirs"]
    answer = foreign.get("/api/v1/devices/own/")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert retired.pk


def test_nobody_without_signing_in(client, device):
    answer = client.get("/api/v1/devices/")
    assert (answer.status_code, answer.json()["code"]) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("registered", {"registered"}),
        ("asleep", {"asleep"}),
        ("lost", {"lost", "lost_unswept"}),
        ("late", set()),
        ("signed_off", {"signed_off"}),
        ("never_seen", {"never_seen"}),
    ],
)
def test_the_session_filter_says_what_the_row_says(api, member, fleet, north, state, expected):
    answer = api(member(Role.READ_ONLY, north)).get("/api/v1/devices/", {"session": state})
    assert {name.removeprefix("urn:dev:") for name in endpoints(answer)} == expected
    assert {row["session"]["state"] for row in answer.json()["results"]} <= {state}


def test_late_within_the_grace(api, member, fleet, north, settings):
    settings.LIFETIME_GRACE_SECONDS = 3600
    client = api(member(Role.READ_ONLY, north))
    assert endpoints(client.get("/api/v1/devices/", {"session": "late"})) == ["urn:dev:lost_unswept"]
    assert endpoints(client.get("/api/v1/devices/", {"session": "lost"})) == ["urn:dev:lost"]


def test_every_device_is_in_exactly_one_state(api, member, fleet, north):
    client = api(member(Role.READ_ONLY, north))
    found = [
        name
        for state in Session.values
        for name in endpoints(client.get("/api/v1/devices/", {"session": state}))
    ]
    assert sorted(found) == sorted(one.endpoint for one in fleet.values())


def test_search_filter_and_order(api, member, device, north, south):
    device("b-meter", name="Cellar", provisioning="applied")
    device("a-meter", access="suspended")
    client = api(member(Role.READ_ONLY, north))

    def found(**query: str) -> list[str]:
        return endpoints(client.get("/api/v1/devices/", query))

    assert found(q="cell") == ["b-meter"]
    assert found(q="METER", ordering="endpoint") == ["a-meter", "b-meter"]
    assert found(provisioning="applied") == ["b-meter"]
    assert found(access="suspended") == ["a-meter"]
    assert found(operator="southsea") == []
    answer = client.get("/api/v1/devices/", {"ordering": "password"})
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_FAILED")
    assert "ordering" in answer.json()["fields"]


def test_the_words_of_a_session(api, member, fleet, north):
    rows = api(member(Role.READ_ONLY, north)).get("/api/v1/devices/").json()["results"]
    told = {row["endpoint"].removeprefix("urn:dev:"): row["session"] for row in rows}
    assert told["asleep"]["words"].startswith("asleep until about ")
    assert told["registered"]["lifetime_left_seconds"] > 3500
    assert told["lost"]["since"]
    assert told["never_seen"]["words"] == "never seen"


def test_the_list_costs_the_same_for_many(
    api, member, device, registered, north, django_assert_num_queries, django_assert_max_num_queries
):
    user = member(Role.READ_ONLY, north)
    for number in range(5):
        registered(device(f"first-{number}", own=True))
    with django_assert_max_num_queries(4) as few:
        api(User.objects.get(pk=user.pk)).get("/api/v1/devices/")
    for number in range(40):
        registered(device(f"more-{number}", own=True))
    with django_assert_num_queries(len(few)):
        api(User.objects.get(pk=user.pk)).get("/api/v1/devices/")


def test_the_timeline_is_for_staff_who_may_see_the_device(api, member, device, north, south, subscriber):
    own = device("own", own=True)
    ledger.record(action="device.suspended", operator_id=north.pk, device_id=own.pk, target="own")
    ledger.record(action="device.added", operator_id=south.pk, device_id=own.pk, target="own")
    path = "/api/v1/devices/own/timeline/"
    rows = api(member(Role.SUPPORT, north)).get(path).json()["results"]
    assert [row["action"] for row in rows] == ["device.suspended"]
    for role in Role:
        assert api(member(role, north, f"{role}-2@example.com")).get(path).status_code == 200
    answer = api(subscriber.user).get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")
    assert api(member(Role.AUDITOR, south)).get(path).status_code == 404


def test_a_retired_device_gives_its_name_to_the_living(api, member, device, north):
    device("twice", access="retired")
    living = device("twice")
    answer = api(member(Role.READ_ONLY, north)).get("/api/v1/devices/twice/")
    assert answer.json()["id"] == living.pk

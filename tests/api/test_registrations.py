"""`registrations/` and `knocks/`: live ones, the waiting room, and who sees them."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.roles import Role
from devices.inventory.models import Knock

pytestmark = pytest.mark.django_db
REGISTRATIONS = "/api/v1/registrations/"
KNOCKS = "/api/v1/knocks/"


def test_a_registration_says_all_about_itself(api, member, device, registered, north):
    one = device("meter")
    registered(one)
    client = api(member(Role.READ_ONLY, north))
    row = client.get(REGISTRATIONS).json()["results"][0]
    assert row == client.get(f"{REGISTRATIONS}r{one.pk}/").json()
    assert (row["id"], row["endpoint"], row["operator"]) == (f"r{one.pk}", "meter", "northwind")
    assert (row["host"], row["port"], row["transport"]) == ("192.0.2.7", 56830, "udp")
    assert (row["version"], row["binding"], row["lifetime_seconds"]) == ("1.1", "U", 3600)
    assert 3500 < row["lifetime_left_seconds"] <= 3600
    assert row["objects"] == [
        {"object_id": 1, "version": "1.1", "instances": [0]},
        {"object_id": 3, "version": None, "instances": [0]},
    ]
    assert row["session"]["state"] == "registered"


def test_the_list_has_live_ones_only(api, member, fleet, north):
    client = api(member(Role.READ_ONLY, north))
    names = {row["endpoint"] for row in client.get(REGISTRATIONS).json()["results"]}
    assert names == {"urn:dev:registered", "urn:dev:asleep", "urn:dev:lost_unswept"}
    found = client.get(REGISTRATIONS, {"session": "asleep"}).json()["results"]
    assert [row["endpoint"] for row in found] == ["urn:dev:asleep"]
    ended = client.get(f"{REGISTRATIONS}r{fleet['signed_off'].pk}/").json()
    assert ended["session"]["state"] == "signed_off"


def test_filters(api, member, fleet, north):
    client = api(member(Role.READ_ONLY, north))
    for query, count in (
        ({"q": "asleep"}, 1),
        ({"q": "192.0.2.7"}, 3),
        ({"transport": "dtls"}, 0),
        ({"operator": "northwind"}, 3),
        ({"operator": "southsea"}, 0),
    ):
        assert client.get(REGISTRATIONS, query).json()["count"] == count, query
    assert client.get(REGISTRATIONS, {"session": "dozing"}).json()["code"] == "VALIDATION_FAILED"


def test_each_sees_their_own(api, member, device, registered, subscriber, south):
    registered(device("other"))
    registered(device("own", own=True))
    assert [row["endpoint"] for row in api(subscriber.user).get(REGISTRATIONS).json()["results"]] == ["own"]
    assert api(member(Role.ADMINISTRATOR, south)).get(REGISTRATIONS).json()["count"] == 0


def test_the_list_costs_the_same_for_many(
    api, member, device, registered, north, django_assert_max_num_queries
):
    user = member(Role.READ_ONLY, north)
    for number in range(40):
        registered(device(f"meter-{number}"))
    with django_assert_max_num_queries(4):
        assert api(User.objects.get(pk=user.pk)).get(REGISTRATIONS).json()["count"] == 40


@pytest.fixture
def knocks(device, north, south) -> None:
    known = device("known")
    Knock.objects.create(
        plane="management",
        cause="PSK_MISMATCH",
        claimed_name="known",
        host="192.0.2.1",
        device=known,
        operator=north,
    )
    Knock.objects.create(
        plane="bootstrap", cause="PSK_MISMATCH", claimed_name="theirs", host="192.0.2.2", operator=south
    )
    Knock.objects.create(
        plane="bootstrap", cause="ENDPOINT_UNKNOWN", claimed_name="nobodys-device", host="192.0.2.3"
    )


def names(answer) -> list[str]:
    return sorted(row["claimed_name"] for row in answer.json()["results"])


def test_the_waiting_room(api, member, person, knocks, north):
    client = api(member(Role.SUPPORT, north))
    assert names(client.get(KNOCKS)) == ["known"]
    assert names(client.get(KNOCKS, {"q": "nobodys"})) == []
    assert names(client.get(KNOCKS, {"q": "nobodys-device"})) == ["nobodys-device"]
    assert names(client.get(KNOCKS, {"q": "theirs"})) == []
    assert names(client.get(KNOCKS, {"cause": "PSK_MISMATCH", "plane": "management"})) == ["known"]
    root = person("root@example.com", is_staff=True, is_superuser=True)
    assert names(api(root).get(KNOCKS)) == ["known", "nobodys-device", "theirs"]


def test_the_waiting_room_is_for_staff(api, knocks, subscriber):
    answer = api(subscriber.user).get(KNOCKS)
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")

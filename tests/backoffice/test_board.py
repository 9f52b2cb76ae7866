"""The board: what its address asks, which rows and counts it shows, and what of it changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from accounts.services import staff
from backoffice.board import listing
from backoffice.board.listing import Query
from backoffice.board.parts import Parts
from devices.inventory.models import Device
from devices.registry.models import Registration

pytestmark = pytest.mark.django_db
BOARD = "/admin/inventory/device/board/"


@pytest.fixture
def reader(member, north) -> User:
    return member(Role.READ_ONLY, north)


def shown(user: User, address: str = "") -> list[str]:
    return [row.device.endpoint for row in listing.page(user, Query.parse(address), timezone.now()).rows]


def targets(parts: list[tuple[str, str]]) -> list[str]:
    return [target for target, _ in parts]


def test_nonsense_in_the_address_is_left_out():
    assert (
        Query.parse("state=dozing&provisioning=x&before=-1&after=%C2%B2&before=99999999999999999999")
        == Query()
    )
    query = Query.parse("state=lost&q=+meter+&operator=northwind&before=7")
    assert (query.state, query.text, query.operator, query.before) == ("lost", "meter", "northwind", 7)
    assert Query.parse(query.here.removeprefix("?")) == query
    assert query.address(state="") == "?operator=northwind&q=meter"


def test_rows_and_counts_agree(reader, fleet):
    counts = listing.counts(reader, Query(), timezone.now())
    assert counts.total == 6
    assert counts.states == {
        "registered": 1,
        "asleep": 1,
        "late": 0,
        "lost": 2,
        "signed_off": 1,
        "never_seen": 1,
        "gateway_offline": 0,
        "gone": 0,
        "stuck": 0,
        "suspended": 0,
    }
    for state, count in counts.states.items():
        page = listing.page(reader, Query(state=state), timezone.now())
        assert [row.session.state for row in page.rows] == [state] * count


def test_retired_and_foreign_devices_are_not_on_the_board(reader, device, south):
    device("gone", access="retired")
    device("theirs", operator=south)
    device("here")
    assert shown(reader) == ["here"]
    assert listing.counts(reader, Query(), timezone.now()).total == 1
    assert shown(reader, "operator=southsea") == []
    assert [one.slug for one in listing.operators(reader)] == ["northwind"]


def test_search_and_filters(reader, device, registered, subscriber):
    registered(device("meter-1", own=True, provisioning="applied"))
    device("meter-2", name="Cellar pump", provisioning="failed")
    for address, expected in (
        ("q=meter", ["meter-2", "meter-1"]),
        ("q=pump+CELLAR", ["meter-2"]),
        (f"q={subscriber.number}", ["meter-1"]),
        ("q=192.0.2.7", ["meter-1"]),
        ("state=stuck", ["meter-2"]),
        ("state=never_seen", []),
        ("provisioning=applied", ["meter-1"]),
    ):
        assert shown(reader, address) == expected, address


def test_pages_follow_each_other_and_lead_back(reader, north):
    Device.objects.bulk_create(Device(operator=north, endpoint=f"meter-{n:03d}") for n in range(120))
    now, seen, query, pages = timezone.now(), [], Query(), []
    while True:
        page = listing.page(reader, query, now)
        pages.append([row.device.endpoint for row in page.rows])
        seen += pages[-1]
        if not page.older:
            break
        query = Query.parse(page.older.removeprefix("?"))
    assert seen == [f"meter-{n:03d}" for n in range(119, -1, -1)]
    back = listing.page(reader, Query.parse(page.newer.removeprefix("?")), now)
    assert [row.device.endpoint for row in back.rows] == pages[1]
    first = listing.page(reader, Query.parse(back.newer.removeprefix("?")), now)
    assert [row.device.endpoint for row in first.rows] == pages[0]
    assert not first.newer


def test_a_page_costs_the_same_for_many(reader, device, registered, django_assert_num_queries):
    for number in range(60):
        registered(device(f"meter-{number}", own=True))
    with django_assert_num_queries(4):  # the person, their roles, the page, who is refused
        rows = listing.page(User.objects.get(pk=reader.pk), Query(), timezone.now()).rows
        assert [row.device.operator.name for row in rows] == ["Northwind Telecom"] * 50
        assert all(row.detail.binding == "U" and row.device.subscriber.number for row in rows)


def test_only_what_changed_is_sent(reader, device, registered):
    one, two = device("one"), device("two")
    parts = Parts(Query())
    assert targets(parts.of(reader, None)) == ["board-rows", "board-pages", "board-tiles"]
    cache.clear()
    assert parts.of(reader, frozenset({one.pk})) == []
    registered(one)
    cache.clear()
    changed = dict(parts.of(reader, frozenset({one.pk})))
    assert list(changed) == [f"device-{one.pk}", "board-tiles"]
    assert "registered" in changed[f"device-{one.pk}"]
    assert two.endpoint not in changed[f"device-{one.pk}"]


def test_a_new_device_appears_and_a_foreign_one_does_not(reader, device, south):
    parts = Parts(Query())
    parts.of(reader, None)
    cache.clear()
    assert parts.of(reader, frozenset({device("theirs", operator=south).pk})) == []
    new = device("new")
    cache.clear()
    sent = dict(parts.of(reader, frozenset({new.pk})))
    assert list(sent) == ["board-rows", "board-pages", "board-tiles"]
    assert "new" in sent["board-rows"]
    assert "theirs" not in sent["board-rows"]


def test_a_filtered_board_lets_go_of_what_no_longer_fits(reader, fleet):
    parts = Parts(Query(state="asleep"))
    parts.of(reader, None)
    Registration.objects.filter(device=fleet["asleep"]).update(last_seen_at=timezone.now())
    sent = dict(parts.of(reader, frozenset({fleet["asleep"].pk})))
    assert "No device fits" in sent["board-rows"]


def test_time_alone_changes_the_board(reader, device, registered):
    one = device("one")
    registered(one, seen_ago=60, queue=True)
    parts = Parts(Query())
    assert "awake until" in dict(parts.of(reader, None))["board-rows"]
    Registration.objects.update(last_seen_at=timezone.now() - timedelta(seconds=120))
    assert "asleep until about" in dict(parts.of(reader, frozenset()))[f"device-{one.pk}"]


def test_counts_that_are_older_than_a_change_are_asked_for_again(reader, device):
    parts = Parts(Query())
    parts.of(reader, None)
    assert parts.again_seconds is None
    sent = parts.of(reader, frozenset({device("new").pk}))
    assert targets(sent) == ["board-rows", "board-pages"]
    assert 0 < parts.again_seconds < 60
    cache.clear()
    assert targets(parts.of(reader, frozenset())) == ["board-tiles"]
    assert parts.again_seconds is None


def test_the_page(client, reader, fleet):
    client.force_login(reader)
    page = client.get(f"{BOARD}?state=asleep")
    html = page.content.decode()
    assert page.status_code == 200
    assert "asleep until about" in html
    assert "urn:dev:lost" not in html
    assert 'data-live="/ws/board/?state=asleep"' in html
    assert "All operators" not in html
    assert html.count('class="board-tile ') == 9


def test_the_page_says_when_there_is_nothing(client, reader):
    client.force_login(reader)
    assert "No devices yet" in client.get(BOARD).content.decode()
    assert "No device fits" in client.get(f"{BOARD}?q=x").content.decode()
    assert "Nothing more here" in client.get(f"{BOARD}?before=1").content.decode()


def test_what_people_type_is_escaped(client, reader, device):
    device("<script>alert(1)</script>", name="<b>bold</b>")
    client.force_login(reader)
    html = client.get(f"{BOARD}?q=%22%3E%3Cscript%3E").content.decode() + client.get(BOARD).content.decode()
    assert "<script>alert" not in html
    assert "<b>bold" not in html
    assert '"><script>' not in html


def test_the_board_is_for_staff(client, subscriber, reader, south):
    assert client.get(BOARD).status_code == 302
    client.force_login(subscriber.user)
    assert client.get(BOARD).status_code == 302
    client.force_login(reader)
    assert client.get(BOARD).status_code == 200


def test_staff_of_two_operators_see_both(member, device, north, south):
    user = member(Role.READ_ONLY, north)
    staff.grant(user=user, operator=south, role=Role.SUPPORT)
    device("north")
    device("south", operator=south)
    assert shown(User.objects.get(pk=user.pk)) == ["south", "north"]

"""Selectors, admin and REST show what somebody may see, and nothing can be changed there."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from accounts.models import Operator, StaffMembership
from api.ledger.serializers import LedgerEventSerializer
from audit import ledger, selectors
from audit.models import LedgerEvent
from tests.audit.conftest import ANNA

pytestmark = pytest.mark.django_db
EVENTS = "/api/v1/audit/events/"


@pytest.fixture
def operators():
    return [Operator.objects.create(slug=name, name=name) for name in ("acme", "other")]


@pytest.fixture
def events(operators):
    acme, other = operators
    with ledger.context(actor=ANNA, address="192.0.2.7", request_id="request-0001"):
        ledger.record(
            action="device.added",
            operator_id=acme.pk,
            device_id=5,
            target="urn:dev:acme",
            after={"name": "<b>pump</b>", "psk": "topsecret"},
        )
        ledger.record(
            action="device.refused",
            operator_id=acme.pk,
            device_id=5,
            result="refused",
            cause="PSK_MISMATCH",
            target="urn:dev:acme",
        )
        ledger.record(action="device.added", operator_id=other.pk, device_id=5, target="urn:dev:other")
    ledger.record(action="operator.added", operator_id=None, target="acme")


def person(email, operator=None, role="auditor", **extra):
    user = get_user_model().objects.create_user(email, "a password", is_staff=True, **extra)
    if operator is not None:
        StaffMembership.objects.create(user=user, operator=operator, role=role)
    return user


@pytest.fixture
def auditor(operators):
    return person("auditor@example.org", operators[0])


@pytest.fixture
def everybody():
    return get_user_model().objects.create_superuser("root@example.org", "a password")


def targets(queryset):
    return [event.target for event in queryset]


def test_selectors_start_from_the_operators(operators, events, django_assert_num_queries):
    acme, other = operators
    assert targets(selectors.events_visible([acme.pk])) == ["urn:dev:acme", "urn:dev:acme"]
    assert targets(selectors.events_visible([])) == []
    assert len(selectors.events_visible(selectors.ALL)) == 4
    assert targets(selectors.timeline(5, [other.pk])) == ["urn:dev:other"]
    with django_assert_num_queries(2):
        names = {event.actor_name for event in selectors.timeline(5, [acme.pk])}
    assert names == {"anna@example.org"}


def test_the_timeline_is_newest_first(operators, events):
    ids = [event.pk for event in selectors.timeline(5, selectors.ALL)]
    assert ids == sorted(ids, reverse=True)


def test_a_user_sees_the_trail_where_the_role_says_so(operators, events, auditor, everybody):
    acme, other = operators
    StaffMembership.objects.create(user=auditor, operator=other, role="read_only")
    assert set(targets(selectors.visible_to(auditor))) == {"urn:dev:acme"}
    assert targets(selectors.visible_to(person("new@example.org"))) == []
    assert targets(selectors.visible_to(person("reader@example.org", acme, "read_only"))) == []
    assert targets(selectors.visible_to(AnonymousUser())) == []
    assert len(selectors.visible_to(everybody)) == 4


def test_the_serializer_brings_the_sentences(operators, events):
    shown = LedgerEventSerializer(selectors.timeline(5, [operators[0].pk]), many=True).data
    assert shown[0]["cause"] == "PSK_MISMATCH"
    assert shown[0]["sentences"]["subscriber"].startswith("The key in your device")
    assert shown[0]["actor"] == "anna@example.org"
    assert shown[1]["sentences"] is None
    assert shown[1]["after"] == {"name": "<b>pump</b>", "psk": "(hidden)"}


def test_the_api_lists_and_shows_own_events(client, events, auditor):
    client.force_login(auditor)
    listed = client.get(f"{EVENTS}?device_id=5").json()["results"]
    assert [event["action"] for event in listed] == ["device.refused", "device.added"]
    assert client.get(f"{EVENTS}{listed[0]['id']}/").json()["request_id"] == "request-0001"


def test_the_api_hides_foreign_events(client, events, auditor):
    client.force_login(auditor)
    foreign = LedgerEvent.objects.get(target="urn:dev:other")
    assert client.get(f"{EVENTS}{foreign.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("cause=PSK_MISMATCH", 1),
        ("action=device.added", 1),
        ("result=refused", 1),
        ("device_id=5", 2),
        ("device_id=6", 0),
        ("target=urn:dev:acme", 2),
        ("request_id=request-0001", 2),
        ("device_id=5&since=2020-01-01T00:00:00Z", 2),
        ("until=2020-01-01T00:00:00Z", 0),
        ("page_size=1", 1),
    ],
)
def test_the_api_filters(client, events, auditor, query, count):
    client.force_login(auditor)
    assert len(client.get(f"{EVENTS}?{query}").json()["results"]) == count


@pytest.mark.parametrize("query", ["cause=NONSENSE", "device_id=x", "since=yesterday", "result=perhaps"])
def test_the_api_refuses_wrong_filters(client, events, auditor, query):
    client.force_login(auditor)
    assert client.get(f"{EVENTS}?{query}").status_code == 400


def test_the_api_needs_the_role(client, events, operators):
    assert client.get(EVENTS).status_code in (401, 403)
    client.force_login(person("reader@example.org", operators[0], "read_only"))
    assert client.get(EVENTS).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_api_changes_nothing(client, events, everybody, method):
    client.force_login(everybody)
    event = LedgerEvent.objects.first()
    assert getattr(client, method)(f"{EVENTS}{event.pk}/").status_code == 405
    assert getattr(client, method)(EVENTS).status_code == 405


def test_the_api_list_has_a_query_budget(client, events, auditor, django_assert_max_num_queries):
    client.force_login(auditor)
    with django_assert_max_num_queries(6):
        client.get(EVENTS)


LIST = "admin:audit_ledgerevent_changelist"


def test_the_admin_lists_own_events(client, events, auditor, django_assert_max_num_queries):
    client.force_login(auditor)
    with django_assert_max_num_queries(10):
        page = client.get(reverse(LIST)).content.decode()
    assert "urn:dev:acme" in page
    assert "anna@example.org" in page
    assert "urn:dev:other" not in page
    assert "operator.added" not in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=urn:dev:ac", 2),
        ("q=device.ref", 1),
        ("q=PSK_", 1),
        ("q=request-0001", 2),
        ("q=nothing", 0),
        ("result__exact=refused", 1),
        ("action=device.added", 1),
        ("q=urn:&at__gte=2020-01-01T00:00:00Z", 2),
        ("at__lt=2020-01-01T00:00:00Z", 0),
    ],
)
def test_the_admin_searches_and_filters(client, events, auditor, query, count):
    client.force_login(auditor)
    response = client.get(f"{reverse(LIST)}?{query}")
    assert response.context["cl"].result_count == count


def test_the_admin_shows_an_event_escaped_and_masked(client, events, auditor):
    client.force_login(auditor)
    event = LedgerEvent.objects.get(target="urn:dev:acme", action="device.added")
    page = client.get(reverse("admin:audit_ledgerevent_change", args=[event.pk])).content.decode()
    assert "<b>pump</b>" not in page
    assert "&lt;b&gt;pump&lt;/b&gt;" in page
    assert "topsecret" not in page
    assert "192.0.2.7" in page
    assert "_save" not in page


def test_the_admin_hides_foreign_events(client, events, auditor):
    client.force_login(auditor)
    event = LedgerEvent.objects.get(target="urn:dev:other")
    response = client.get(reverse("admin:audit_ledgerevent_change", args=[event.pk]))
    assert response.status_code == 302  # back to the index: not here


def test_the_admin_changes_nothing(client, events, everybody):
    client.force_login(everybody)
    event = LedgerEvent.objects.first()
    assert client.get(reverse("admin:audit_ledgerevent_add")).status_code == 403
    assert client.post(reverse("admin:audit_ledgerevent_change", args=[event.pk]), {}).status_code == 403
    assert client.post(reverse("admin:audit_ledgerevent_delete", args=[event.pk]), {}).status_code == 403
    assert "delete_selected" not in client.get(reverse(LIST)).content.decode()

"""What the ladder hands over is on the desk's list: each device once, until it is heard, for its operators' staff."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from audit.causes import CAUSES
from devices.inventory.models import Device
from provisioning.ladder import AttemptState, ReachAttempt
from provisioning.services import lifecycle, reachability
from tests.devices import making
from tests.provisioning.silent import LIFETIME, expire, registered

pytestmark = pytest.mark.django_db
LIST = "/support/handed-over/"


@pytest.fixture
def lost(north) -> Device:
    now = timezone.now()
    type(north).objects.filter(pk=north.pk).update(allows_nosec=True)
    north.refresh_from_db()
    device = registered(north, now=now - timedelta(seconds=LIFETIME + 120))
    expire(device, now=now)
    climb(now)
    return device


def climb(now=None) -> None:
    now = now or timezone.now()
    reachability.look(now=now)
    reachability.climb(now=now)


def page(client, at: str = LIST) -> str:
    answer = client.get(at)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def attempts(count: int, operator, **more) -> None:
    now = timezone.now()
    devices = Device.objects.bulk_create(
        Device(operator=operator, endpoint=f"urn:dev:many-{number}") for number in range(count)
    )
    usual = {
        "state": AttemptState.EXHAUSTED,
        "missed_at": now,
        "silent_since": now,
        "is_handed_over": True,
        "has_acted": True,
        "taken": [{"kind": "ticket", "at": now.isoformat()}],
    }
    ReachAttempt.objects.bulk_create(
        ReachAttempt(device=device, operator=operator, **{**usual, **more}) for device in devices
    )


def test_what_nobody_could_reach_is_on_the_list_with_its_cause(desk, lost):
    said = page(desk)
    assert f"/support/devices/{lost.pk}/" in said
    assert lost.endpoint in said
    cause = CAUSES["DEVICE_UNTRIED_TICKET"]
    assert str(cause.support) in said
    assert str(cause.action) in said
    assert "missed its contact at" in said
    for at in (LIST, "/support/", "/support/waiting-room/", f"/support/devices/{lost.pk}/"):
        assert '<span class="badge is-wait">1</span></a>' in page(desk, at)


def test_a_device_that_is_heard_leaves_it_at_once_and_the_table_is_tidied(desk, lost):
    making.register(lost, now=timezone.now())
    assert "Nothing is handed over" in page(desk)
    assert ReachAttempt.objects.get().is_handed_over
    climb()
    assert not ReachAttempt.objects.get().is_handed_over


def test_a_device_that_is_suspended_leaves_it(desk, lost):
    lifecycle.suspend(device=lost, reason="Bill")
    assert "Nothing is handed over" in page(desk)


def test_the_list_is_of_the_operators_staff(sign_in, lost, north, south):
    for role in Role:
        assert lost.endpoint in page(sign_in(making.member(north, role)))
    assert lost.endpoint not in page(sign_in(making.member(south, Role.SUPPORT)))
    assert 'class="badge is-wait"' not in page(sign_in(making.member(south, Role.ADMINISTRATOR)))


def test_a_subscriber_and_a_stranger_do_not_see_it(client, sign_in, lost):
    assert client.get(LIST).url.startswith("/accounts/login/")
    person = making.person("caller@home.example")
    assert sign_in(person).get(LIST).status_code == 403


def test_a_device_is_there_once_with_its_newest_silence(desk, lost):
    now = timezone.now()
    again = ReachAttempt.objects.get()
    again.pk, again.silent_since = None, now
    again.save()
    assert page(desk).count(lost.endpoint) == 1
    ReachAttempt.objects.filter(pk=again.pk).update(state=AttemptState.CANCELLED)
    assert "Nothing is handed over" in page(desk)


def test_what_the_desk_has_is_not_pruned(lost):
    reachability.prune(now=timezone.now() + timedelta(days=400))
    assert ReachAttempt.objects.filter(is_handed_over=True).exists()
    ReachAttempt.objects.update(is_handed_over=False)
    reachability.prune(now=timezone.now() + timedelta(days=400))
    assert not ReachAttempt.objects.exists()


def test_far_pages_cost_what_the_first_does_and_many_are_not_all_counted(desk, north):
    attempts(1_100, north)
    costs = []
    for number in (2, 22):
        with CaptureQueriesContext(connection) as asked:
            said = page(desk, f"{LIST}?page={number}")
        costs.append(len(asked))
        assert said.count("urn:dev:many-") == 50
    assert costs[0] == costs[1] <= 12
    assert "999+" in said
    assert "1,051–1,100 of 1,100 devices" in said

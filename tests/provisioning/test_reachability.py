"""The reachability ladder, walked with a made-up now: who is looked for, by which rungs, and what ends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import Refused
from accounts.models import Operator
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.inventory.models import Device
from devices.messaging.models import SmsMessage
from devices.registry.models import Registration, RegistrationDetail
from provisioning import rungs, tasks
from provisioning.ladder import AttemptState, ReachAttempt, ReachPolicy
from provisioning.rungs import wait
from provisioning.services import lifecycle, reach_policies, reachability
from tests.devices import making
from tests.devices.gateways.telling import behind
from tests.devices.making import NOW
from tests.provisioning.silent import (
    END,
    LIFETIME,
    at,
    attempt,
    expire,
    linked,
    policy,
    registered,
    trail,
    update,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("worker")]
# -- who is looked for -------------------------------------------------------------------------------------------


def test_nobody_who_comes_in_time_is_looked_for() -> None:
    device = registered()
    update(device, at(-120))
    for seconds in range(-120, 3000, 60):
        assert reachability.look(now=at(seconds)) == 0
        assert reachability.climb(now=at(seconds)) == reachability.Climbed(0, 0)
    assert trail(device) == []


def test_a_contact_is_missed_a_little_before_the_registration_ends() -> None:
    device = registered()
    assert reachability.look(now=at(-61)) == 0
    assert reachability.look(now=at(-59)) == 1
    assert attempt(device).missed_at == at(-60)
    assert reachability.look(now=at(-30)) == 0, "one attempt for one silence"


def test_a_short_lifetime_is_not_questioned_too_early() -> None:
    registered(lifetime=100)
    assert reachability.look(now=NOW + timedelta(seconds=89)) == 0
    assert reachability.look(now=NOW + timedelta(seconds=90)) == 1


def test_a_late_device_that_comes_by_itself_leaves_no_trace() -> None:
    device = registered()
    reachability.look(now=at(-50))
    update(device, at(-40))
    assert reachability.climb(now=at(-35)) == reachability.Climbed(ended=1, stepped=0)
    assert not ReachAttempt.objects.exists()
    assert trail(device) == []


@pytest.mark.parametrize("state", ["suspended", "retired", "signed off", "without end", "operator closed"])
def test_who_shall_not_come_is_left_alone(state: str) -> None:
    device = registered()
    if state == "suspended":
        expire(device)
        lifecycle.suspend(device=device, reason="test")
    elif state == "retired":
        lifecycle.release(device=device, reason="test", now=at(-100))
    elif state == "signed off":
        Registration.objects.filter(device=device).update(is_live=False)
        RegistrationDetail.objects.filter(device=device).update(end_cause="DEREGISTERED")
    elif state == "without end":
        Registration.objects.filter(device=device).update(expires_at=None)
    else:
        Operator.objects.filter(pk=device.operator_id).update(is_active=False)
    assert reachability.look(now=at(600)) == 0


def test_a_device_suspended_meanwhile_is_given_up_and_found_again_when_it_may_return() -> None:
    device = registered(msisdn="+49151000004")
    linked(device)
    expire(device)
    reachability.look(now=at(1))
    reachability.climb(now=at(40))
    reachability.climb(now=at(40))
    lifecycle.suspend(device=device, reason="test")
    reachability.climb(now=at(41))
    found = attempt(device)
    assert (found.state, found.cause) == (AttemptState.CANCELLED, "DEVICE_SUSPENDED")
    lifecycle.resume(device=device, reason="test")
    assert reachability.look(now=at(100)) == 1


def test_an_operator_that_wants_none_gets_none() -> None:
    device = registered()
    policy(device.operator, is_enabled=False)
    expire(device)
    assert reachability.look(now=at(10)) == 0
    policy(device.operator, is_enabled=True)
    assert reachability.look(now=at(20)) == 1
    policy(device.operator, is_enabled=False)
    assert attempt(device).state == AttemptState.CANCELLED


def test_one_open_attempt_for_a_device() -> None:
    device = registered()
    reachability.look(now=at(-50))
    twin = attempt(device)
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


# -- the rungs ---------------------------------------------------------------------------------------------------


def test_rung_by_rung_to_the_ticket() -> None:
    device = registered(msisdn="+4915112345678", onboarding="bootstrap")
    linked(device)
    reachability.look(now=at(-59))
    assert reachability.climb(now=at(-45)).stepped == 0, "it is given time"
    reachability.climb(now=at(-29))
    command = Command.objects.get(device=device)
    assert (command.operation, command.path, command.state) == ("execute", "/1/0/8", "queued")
    assert reachability.climb(now=at(0)).stepped == 0
    expire(device)
    for seconds in (300, 1300, 1400, 3300):
        reachability.climb(now=at(seconds))
    assert trail(device) == [
        ("missed", "CONTACT_MISSED"),
        ("taken", "update_trigger"),
        ("taken", "sms_trigger"),
        ("skipped", "bootstrap_trigger"),
        ("skipped", "via_gateway"),
        ("taken", "sms_bootstrap"),
        ("ticket", "ticket"),
    ]
    found = attempt(device)
    assert (found.state, found.sms_count, found.next_at) == (AttemptState.EXHAUSTED, 2, None)
    assert [row.purpose for row in SmsMessage.objects.filter(device=device)] == ["trigger", "trigger"]
    assert reachability.look(now=at(7200)) == 0, "the same silence is not worked off twice"
    rung = LedgerEvent.objects.filter(action="reach.skipped").order_by("id").first()
    assert (rung.cause, rung.actor_label) == ("NO_STANDING_REGISTRATION", "The portal")


@pytest.mark.parametrize("taken", [1, 2, 3])
def test_it_stops_at_the_first_success(taken: int) -> None:
    device = registered(msisdn="+4915112345678", onboarding="bootstrap")
    linked(device)
    reachability.look(now=at(-59))
    for seconds in (-29, 300, 1300)[:taken]:
        reachability.climb(now=at(seconds))
    came_at = at((-29, 300, 1300)[taken - 1] + 5)
    making.register(device, now=came_at, lifetime_seconds=LIFETIME)
    assert reachability.climb(now=came_at + timedelta(seconds=5)) == reachability.Climbed(1, 0)
    found = attempt(device)
    by = ("update_trigger", "sms_trigger", "bootstrap_trigger")[taken - 1]
    assert (found.state, found.reached_by) == (AttemptState.REACHED, by)
    before = trail(device)
    assert before[-1] == ("reached", by)
    for seconds in (2000, 3000):
        reachability.climb(now=at(seconds))
    assert trail(device) == before
    assert not Command.objects.filter(device=device, state="queued").exists(), "the trigger is taken back"


def test_the_next_silence_is_another_attempt() -> None:
    device = registered()
    expire(device)
    reachability.look(now=at(1))
    reachability.climb(now=at(60))
    making.register(device, now=at(100), lifetime_seconds=LIFETIME)
    reachability.climb(now=at(105))
    second_end = at(100 + LIFETIME)
    assert reachability.look(now=second_end - timedelta(seconds=59)) == 1
    assert ReachAttempt.objects.filter(device=device).count() == 2


def test_without_number_or_link_a_rung_says_so_and_the_next_follows_at_once() -> None:
    bare = registered()
    numbered = registered(bare.operator, msisdn="+4915112345679")
    expire(bare, numbered)
    reachability.look(now=at(1))
    reachability.climb(now=at(40))
    reachability.climb(now=at(41))
    causes = {
        device.pk: [
            row.cause
            for row in LedgerEvent.objects.filter(device_id=device.pk, action="reach.skipped").order_by("id")
        ]
        for device in (bare, numbered)
    }
    assert causes[bare.pk][1] == "MSISDN_MISSING"
    assert causes[numbered.pk][1] == "SMSC_LINK_MISSING"
    assert {attempt(device).state for device in (bare, numbered)} == {AttemptState.EXHAUSTED}


def test_only_the_rungs_of_the_policy_are_taken_in_the_order_of_the_ladder() -> None:
    device = registered()
    policy(device.operator, waits={"ticket": 0, "wait": 600})
    expire(device)
    reachability.look(now=at(1))
    assert reachability.climb(now=at(500)).stepped == 0
    reachability.climb(now=at(600))
    assert trail(device)[-1] == ("ticket", "ticket")
    assert LedgerEvent.objects.filter(action="reach.ticket").count() == 1


def test_an_end_device_is_looked_for_at_its_gateway_and_not_while_the_gateway_is_away() -> None:
    gateway = registered(now=NOW)
    child = making.device(gateway.operator, security="none")
    behind(gateway, child, gone_at=NOW)
    Registration.objects.filter(device=gateway).update(is_live=False)
    assert reachability.look(now=NOW + timedelta(seconds=60)) == 0
    Registration.objects.filter(device=gateway).update(is_live=True)
    assert reachability.look(now=NOW + timedelta(seconds=60)) == 1
    reachability.climb(now=NOW + timedelta(seconds=60))
    assert ("taken", "via_gateway") in trail(child)
    Device.objects.filter(pk=child.pk).update(gone_at=None)
    reachability.climb(now=NOW + timedelta(seconds=70))
    assert attempt(child).state == AttemptState.REACHED


# -- what it may cost ----------------------------------------------------------------------------------------------


def test_many_lost_at_once_get_their_sms_one_after_the_other() -> None:
    first = registered(msisdn="+49151000000")
    lost = [first, *(registered(first.operator, msisdn=f"+4915100000{n}") for n in range(10, 39))]
    link = linked(first)
    link.daily_messages = 1000
    link.save()
    policy(first.operator, waits={"sms_trigger": 3600}, sms_per_minute=6)
    ReachPolicy.objects.update(sms_tokens=0, sms_tokens_at=at(60))
    expire(*lost)
    assert reachability.look(now=at(60)) == 30
    sent = []
    for second in range(60, 181, 5):  # as the sweep does
        reachability.climb(now=at(second))
        sent.append(SmsMessage.objects.count())
    assert sent[-1] == 12, "six a minute"
    assert max(after - before for before, after in pairwise(sent)) <= 2


def test_the_rate_of_one_operator_does_not_hold_up_another() -> None:
    slow = registered(msisdn="+49151000001")
    free = registered(msisdn="+49151000002")
    for device in (slow, free):
        linked(device)
        policy(device.operator, waits={"sms_trigger": 60})
    policy(slow.operator, sms_per_minute=0)
    ReachPolicy.objects.filter(pk=free.operator_id).update(sms_tokens=5)
    expire(slow, free)
    reachability.look(now=at(10))
    for second in range(10, 40, 5):
        reachability.climb(now=at(second))
    assert [row.device_id for row in SmsMessage.objects.all()] == [free.pk]


def test_a_device_that_is_lost_again_and_again_has_a_budget() -> None:
    device = registered(msisdn="+49151000003")
    linked(device)
    policy(device.operator, waits={"sms_trigger": 60, "ticket": 0}, sms_per_day=2)
    ReachPolicy.objects.update(sms_tokens=60, sms_tokens_at=NOW)
    end = END
    for _ in range(3):
        expire(device, now=end + timedelta(seconds=1))
        reachability.look(now=end + timedelta(seconds=2))
        for seconds in (2, 3, 4):
            reachability.climb(now=end + timedelta(seconds=seconds))
        making.register(device, now=end + timedelta(seconds=10), lifetime_seconds=LIFETIME)
        reachability.climb(now=end + timedelta(seconds=15))
        end += timedelta(seconds=10 + LIFETIME)
    assert SmsMessage.objects.count() == 2
    spent = LedgerEvent.objects.filter(device_id=device.pk, cause="REACH_BUDGET_SPENT")
    assert spent.count() == 1


def test_one_sweep_takes_so_many_rungs_and_the_next_goes_on() -> None:
    first = registered()
    lost = [first, *(registered(first.operator) for _ in range(4))]
    policy(first.operator, waits={"update_trigger": 600})
    assert reachability.look(now=at(-30), limit=3) == 3
    assert reachability.look(now=at(-30)) == 2
    assert [reachability.climb(now=at(-30), limit=2).stepped for _ in range(4)] == [2, 2, 1, 0]
    assert Command.objects.filter(device__in=lost, path="/1/0/8").count() == 5


def test_the_scan_asks_the_same_number_of_questions_for_many(django_assert_max_num_queries: Any) -> None:
    first = registered()
    for _ in range(20):
        registered(first.operator)
    reach_policies.ensure_all()
    with django_assert_max_num_queries(8):
        assert reachability.look(now=at(-30)) == 21


# -- around it -----------------------------------------------------------------------------------------------------


def test_the_scan_and_the_climb_are_what_celery_runs() -> None:
    device = registered(now=datetime.now(tz=NOW.tzinfo) - timedelta(seconds=LIFETIME + 5))
    tasks.look_for_silent()
    assert attempt(device).state == AttemptState.OPEN
    ReachAttempt.objects.update(next_at=NOW)
    tasks.climb()
    assert attempt(device).has_acted


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"waits": {}}, "waits"),
        ({"waits": {"pigeon": 5}}, "waits"),
        ({"waits": {"wait": -1}}, "waits"),
        ({"waits": {"wait": True}}, "waits"),
        ({"sms_per_day": -1}, "sms_per_day"),
        ({"early_seconds": 4000}, "early_seconds"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(changes: dict[str, Any], field: str) -> None:
    operator = making.operator()
    with pytest.raises(Refused) as caught:
        policy(operator, **changes)
    assert caught.value.field == field


def test_a_change_of_the_policy_stands_in_the_ledger() -> None:
    operator = making.operator()
    policy(operator, sms_per_day=9)
    event = LedgerEvent.objects.get(action="reach.policy")
    assert (event.before, event.after) == ({"sms_per_day": 3}, {"sms_per_day": 9})


@pytest.mark.parametrize("kind", rungs.KINDS)
def test_every_rung_says_what_it_is(kind: str) -> None:
    module = rungs.KINDS[kind]
    assert module.TITLE
    assert module.DID[0].islower()
    assert rungs.DEFAULT_WAITS[kind] >= 0


def test_a_rung_that_newer_versions_dropped_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    device = registered()
    monkeypatch.setitem(rungs.KINDS, "pigeon", wait)
    policy(device.operator, waits={"pigeon": 60, "ticket": 0})
    expire(device)
    reachability.look(now=at(1))
    monkeypatch.delitem(rungs.KINDS, "pigeon")
    ReachAttempt.objects.update(plan=[["pigeon", 60], ["ticket", 0]], position=0)
    reachability.climb(now=at(2))
    assert ("ticket", "ticket") in trail(device)


def test_old_attempts_go() -> None:
    device = registered()
    expire(device)
    reachability.look(now=at(1))
    reachability.climb(now=at(60))
    assert attempt(device).state == AttemptState.EXHAUSTED
    assert reachability.prune(now=at(91 * 86400)) == 0  # the support desk has it
    making.register(device, now=at(100))
    reachability.climb(now=at(120))
    assert reachability.prune(now=at(86400)) == 0
    assert reachability.prune(now=at(91 * 86400)) == 1

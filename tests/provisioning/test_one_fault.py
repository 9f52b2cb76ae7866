"""One device's, operator's or row's fault is never another's outage: jobs, sweeps and ladders go on beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from audit.models import LedgerEvent
from devices.commands.models import Command, CommandState
from devices.commands.services import delivery, mailbox
from devices.inventory.models import Device
from devices.messaging.models import SmsMessage
from devices.registry.models import RegistrationDetail
from provisioning import rungs, steps
from provisioning.ladder import AttemptState, ReachAttempt, ReachPolicy
from provisioning.models import BootstrapSession, Job, JobState, SessionState
from provisioning.services import jobs, reach_history, reach_policies, reachability, sessions, sweep
from tests.devices.making import NOW
from tests.provisioning import walking
from tests.provisioning.silent import at, attempt, expire, linked, policy, registered, trail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("worker")]

UNREADABLE: list[Any] = [{"1": {}}, {"objects": []}, ["x"], "text", 7]


def raising(error: Exception) -> Any:
    def broken(*args: Any, **options: Any) -> Any:
        raise error

    return broken


# -- jobs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [DataError("value too long"), IntegrityError("a NUL byte"), KeyError("x")])
def test_a_step_that_breaks_ends_its_job_where_staff_sees_it(
    ordered: Device, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(steps.check_inventory, "run", raising(error))
    job = walking.job(ordered)
    assert jobs.advance(job_id=job.pk) == JobState.FAILED
    step = job.steps.get(kind="check_inventory")
    assert (step.state, step.cause, step.detail) == ("failed", "INTERNAL_ERROR", type(error).__name__)
    assert sweep.due(now=NOW + timedelta(days=1)) == []


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_a_lost_connection_leaves_the_job_as_it_was_for_the_next_bell(
    ordered: Device, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    job = walking.job(ordered)
    with monkeypatch.context() as patched:
        patched.setattr(steps.check_inventory, "run", raising(error))
        with pytest.raises(type(error)):
            jobs.advance(job_id=job.pk)
    assert job.steps.get(kind="check_inventory").attempts == 0
    assert Job.objects.get(pk=job.pk).state == JobState.RUNNING
    assert jobs.advance(job_id=job.pk) == JobState.WAITING


# -- sweeps ----------------------------------------------------------------------------------------------------


def test_a_command_that_cannot_be_expired_keeps_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [registered() for _ in range(3)]
    commands = [
        mailbox.enqueue(
            device=device, operation="read", path="/3/0", requested_by="test", expires_in_seconds=60
        )
        for device in devices
    ]
    end = delivery.end

    def broken(command: Command, *args: Any, **options: Any) -> None:
        if command.pk == commands[0].pk:
            raise ValueError("its row is unreadable")
        end(command, *args, **options)

    monkeypatch.setattr(delivery, "end", broken)
    later = Command.objects.latest("expires_at").expires_at + timedelta(seconds=1)
    assert mailbox.expire_overdue(now=later) == 2
    assert Command.objects.filter(state=CommandState.EXPIRED).count() == 2


def test_a_session_that_cannot_be_ended_keeps_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [registered() for _ in range(3)]
    rows = [
        BootstrapSession.objects.create(
            operator_id=device.operator_id,
            device=device,
            transport="udp",
            host="192.0.2.1",
            port=5683,
            content_format=112,
            started_at=NOW,
            last_progress_at=NOW,
        )
        for device in devices
    ]
    finish = sessions.finish

    def broken(*, session_id: int, **options: Any) -> bool:
        if session_id == rows[0].pk:
            raise ValueError("its row is unreadable")
        return finish(session_id=session_id, **options)

    monkeypatch.setattr(sessions, "finish", broken)
    assert sessions.expire_stuck(now=NOW + timedelta(days=1)) == 2
    assert BootstrapSession.objects.filter(state=SessionState.RUNNING).count() == 1


# -- the ladder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("links", UNREADABLE)
def test_an_object_list_that_cannot_be_read_stops_no_ladder(links: Any) -> None:
    broken = registered()
    whole = registered(broken.operator)
    policy(broken.operator, waits={"update_trigger": 60, "ticket": 0})
    RegistrationDetail.objects.filter(device=broken).update(object_links=links)
    reachability.look(now=at(-59))
    assert reachability.climb(now=at(-59)).stepped == 2
    assert trail(whole)[-1] == ("taken", "update_trigger")
    assert trail(broken)[0] == ("missed", "CONTACT_MISSED")


def test_a_rung_that_breaks_is_left_out_with_its_cause_and_the_next_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device, other = registered(), registered()
    for one in (device, other):
        policy(one.operator, waits={"update_trigger": 60, "ticket": 0})
    take = rungs.update_trigger.take

    def broken(*, device: Device, **options: Any) -> Any:
        taken = take(device=device, **options)
        if device.pk == attempt_of.device_id:
            raise IntegrityError("after it wrote a command")
        return taken

    reachability.look(now=at(-59))
    attempt_of = attempt(device)
    monkeypatch.setattr(rungs.update_trigger, "take", broken)
    assert reachability.climb(now=at(-59)).stepped == 2
    assert trail(device) == [
        ("missed", "CONTACT_MISSED"),
        ("skipped", "update_trigger"),
        ("ticket", "ticket"),
    ]
    skipped = LedgerEvent.objects.get(device_id=device.pk, action="reach.skipped")
    assert (skipped.cause, skipped.detail["said"]) == ("INTERNAL_ERROR", "IntegrityError")
    assert not Command.objects.filter(device=device).exists(), "what the rung had done is undone"
    assert trail(other)[-1] == ("taken", "update_trigger")


def test_a_step_that_breaks_ends_the_ladder_of_its_device_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = registered()
    whole = registered(broken.operator)
    policy(broken.operator, waits={"update_trigger": 60, "ticket": 0})
    missed = reach_history.missed

    def breaks(device: Device, *args: Any) -> None:
        if device.pk == broken.pk:
            raise TypeError("a mistake of ours")
        missed(device, *args)

    monkeypatch.setattr(reach_history, "missed", breaks)
    reachability.look(now=at(-59))
    assert reachability.climb(now=at(-59)).stepped == 2
    found = attempt(broken)
    assert (found.state, found.cause, found.next_at) == (AttemptState.CANCELLED, "INTERNAL_ERROR", None)
    assert trail(broken) == [("cancelled", "INTERNAL_ERROR")]
    assert trail(whole)[-1] == ("taken", "update_trigger")
    assert reachability.climb(now=at(-50)).stepped == 0


def test_an_operator_whose_turn_breaks_keeps_no_other_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = registered(), registered()
    for one in (first, second):
        policy(one.operator, waits={"update_trigger": 60})
    draw = reach_policies.draw_sms

    def breaks(*, operator_id: int, **options: Any) -> int:
        if operator_id == first.operator_id:
            raise ReachPolicy.DoesNotExist
        return draw(operator_id=operator_id, **options)

    monkeypatch.setattr(reach_policies, "draw_sms", breaks)
    reachability.look(now=at(-59))
    reachability.climb(now=at(-59))
    assert trail(second)[-1] == ("taken", "update_trigger")


def test_sms_that_were_not_sent_are_given_back_to_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    device = registered(msisdn="+49151000001")
    linked(device)
    policy(device.operator, waits={"sms_trigger": 60, "ticket": 0}, sms_per_minute=6)
    ReachPolicy.objects.update(sms_tokens=3, sms_tokens_at=at(60))
    expire(device)
    reachability.look(now=at(10))
    monkeypatch.setattr(rungs.sms_trigger, "take", raising(ValueError("a mistake of ours")))
    for second in (11, 12, 13):
        reachability.climb(now=at(second))
    assert not SmsMessage.objects.exists()
    assert ReachPolicy.objects.get().sms_tokens == 3
    assert ReachAttempt.objects.get().sms_count == 0


def test_sms_that_were_sent_count() -> None:
    device = registered(msisdn="+49151000001")
    linked(device)
    policy(device.operator, waits={"sms_trigger": 60, "ticket": 0}, sms_per_minute=6)
    ReachPolicy.objects.update(sms_tokens=3, sms_tokens_at=at(60))
    expire(device)
    reachability.look(now=at(10))
    for second in (11, 12, 13):
        reachability.climb(now=at(second))
    assert SmsMessage.objects.count() == 1
    assert ReachPolicy.objects.get().sms_tokens == 2

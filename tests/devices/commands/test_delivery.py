"""Commands of many devices in one turn: each as if it were alone, for the statements of one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import ledger
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.commands.outcomes import DeviceRefused, Done, Later, Silent
from devices.commands.services import delivery, mailbox
from devices.commands.services.delivery import BROKEN_OFF, LEASE_SECONDS, MAX_BROKEN_OFF, MAX_LATER
from devices.inventory import locks
from devices.inventory.services import devices
from devices.inventory.states import Provisioning
from devices.operations.services import settlement
from devices.telemetry.models import ResourceValue
from tests.devices import making
from tests.devices.making import FLOW, NOW

pytestmark = pytest.mark.django_db
READ = "/3303/0/5700"


@pytest.fixture
def fleet():
    of = making.operator()

    def make(count: int, commands: int = 2):
        made = [making.device(of, onboarding="direct") for _ in range(count)]
        for device in made:
            devices.set_provisioning(device=device, state=Provisioning.READY)
            for _ in range(commands):
                mailbox.enqueue(device=device, operation="read", path=READ, requested_by="user:1", now=NOW)
        return made

    return make


def turn(devices, outcomes=(), now=NOW):
    with ledger.unit_of_work():
        locked = locks.devices(device.pk for device in devices)
        settlement.settle(devices=locked, outcomes=outcomes, now=now)
        return delivery.claim(devices=locked, flow=FLOW, now=now)


def answer(value: float) -> Done:
    return Done("2.05", {"nodes": [{"path": READ, "value": value}]})


def test_each_device_has_its_own_outcome_and_goes_on_with_its_next_command(fleet) -> None:
    one, two, three = devices = fleet(3)
    first = turn(devices)
    assert {pk: claimed.attempts for pk, claimed in first.items()} == {d.pk: 1 for d in devices}
    outcomes = [answer(21.5), DeviceRefused("4.05"), Silent("RESPONSE_TIMEOUT")]
    following = turn(
        devices, [(first[d.pk].command_id, said) for d, said in zip(devices, outcomes, strict=True)]
    )
    states = dict(
        Command.objects.filter(pk__in=[c.command_id for c in first.values()]).values_list(
            "device_id", "state"
        )
    )
    assert states == {one.pk: "done", two.pk: "refused", three.pk: "queued"}
    assert set(following) == {one.pk, two.pk}  # the third did not answer: what waits is held back
    assert all(following[pk].command_id != first[pk].command_id for pk in following)
    assert list(ResourceValue.objects.values_list("device_id", "path", "number")) == [(one.pk, READ, 21.5)]
    ended = LedgerEvent.objects.filter(action__in=["command.done", "command.refused"])
    assert sorted(ended.values_list("device_id", flat=True)) == [one.pk, two.pk]


def test_nothing_is_claimed_twice_and_nothing_settled_twice(fleet) -> None:
    devices = fleet(2)
    first = turn(devices)
    assert turn(devices) == {}
    said = [(claimed.command_id, answer(1.0)) for claimed in first.values()]
    turn(devices, said)
    turn(devices, [(command_id, DeviceRefused("4.04")) for command_id, _ in said])
    assert Command.objects.filter(state="done").count() == 2
    assert not Command.objects.filter(state="refused").exists()


def test_what_a_dead_process_had_is_taken_over_by_the_same_turn(fleet) -> None:
    devices = fleet(2, commands=1)
    first = turn(devices)
    later = turn(devices, now=NOW + timedelta(seconds=LEASE_SECONDS + 1))
    assert {pk: (c.command_id, c.attempts) for pk, c in later.items()} == {
        pk: (c.command_id, 2) for pk, c in first.items()
    }


def test_a_turn_costs_many_devices_what_it_costs_one(fleet) -> None:
    costs = []
    for count in (2, 30):
        devices = fleet(count, commands=3)
        first = turn(devices)
        second = turn(devices, [(claimed.command_id, answer(20.0)) for claimed in first.values()])
        said = [(claimed.command_id, answer(21.0)) for claimed in second.values()]
        with CaptureQueriesContext(connection) as asked:  # of resources that are known: new ones need room
            following = turn(devices, said)
        assert len(following) == count
        costs.append(len(asked))
    assert costs[1] <= costs[0] + 1 <= 20  # one looks whether object models were loaded, every two seconds


def test_a_way_that_was_closed_is_no_attempt_and_the_command_leaves_at_once(fleet) -> None:
    (device,) = fleet(1, commands=1)
    claimed = turn([device])[device.pk]
    for _ in range(MAX_BROKEN_OFF):
        again = turn([device], [(claimed.command_id, BROKEN_OFF)])[device.pk]
        assert (again.command_id, again.attempts) == (claimed.command_id, 1)
    # A device that starts anew each time that it is asked may fail over the very command.
    for attempts in (2, 3):
        assert turn([device], [(claimed.command_id, BROKEN_OFF)])[device.pk].attempts == attempts
    assert turn([device], [(claimed.command_id, BROKEN_OFF)]) == {}
    assert Command.objects.get().state == "silent"


def test_what_was_acknowledged_and_never_answered_is_asked_once(fleet) -> None:
    (device,) = fleet(1)
    first = turn([device])[device.pk]
    said = Silent("ACKNOWLEDGED_UNANSWERED", "It may not know FETCH.", is_final=True)
    following = turn([device], [(first.command_id, said)])
    assert following[device.pk].command_id != first.command_id
    ended = Command.objects.get(pk=first.command_id)
    assert (ended.state, ended.cause, ended.attempts) == ("silent", "ACKNOWLEDGED_UNANSWERED", 1)


@pytest.mark.parametrize(("said", "waits"), [(0.0, 1), (30.0, 30), (4e9, 900)])
def test_a_busy_device_is_asked_again_when_it_said_and_not_before(fleet, said, waits) -> None:
    (device,) = fleet(1, commands=1)
    claimed = turn([device])[device.pk]
    assert turn([device], [(claimed.command_id, Later(said))]) == {}
    waiting = Command.objects.get()
    assert (waiting.state, waiting.cause) == ("queued", "DEVICE_BUSY")
    soon = NOW + timedelta(seconds=waits) - timedelta(milliseconds=1)
    making.register(device, now=soon)  # it speaks, which does not mean that it has time
    assert turn([device], now=soon) == {}
    assert mailbox.waiting_devices(FLOW, 10, now=soon) == []
    then = NOW + timedelta(seconds=waits)
    assert mailbox.waiting_devices(FLOW, 10, now=then) == [device.pk]
    assert turn([device], now=then)[device.pk].attempts == 2


def test_a_device_that_is_always_busy_has_refused(fleet) -> None:
    (device,) = fleet(1, commands=1)
    now = NOW
    for _ in range(MAX_LATER):
        claimed = turn([device], now=now)[device.pk]
        turn([device], [(claimed.command_id, Later(1.0, detail="no room"))], now=now)
        now += timedelta(seconds=1)
    ended = Command.objects.get()
    assert (ended.state, ended.response_code, ended.cause, ended.detail) == (
        "refused",
        "5.03",
        "DEVICE_BUSY",
        "no room",
    )


def test_a_lease_is_prolonged_by_whoever_holds_it(fleet) -> None:
    (device,) = fleet(1, commands=1)
    claimed = turn([device])[device.pk]
    until = NOW + timedelta(seconds=10 * LEASE_SECONDS)
    assert not delivery.prolong(command_id=claimed.command_id, flow="southbound.9.other", until=until)
    assert delivery.prolong(command_id=claimed.command_id, flow=FLOW, until=until)
    assert turn([device], now=until - timedelta(seconds=1)) == {}
    turn([device], [(claimed.command_id, answer(1.0))])
    assert not delivery.prolong(command_id=claimed.command_id, flow=FLOW, until=until)

"""Commands of many devices in one turn: each as if it were alone, for the statements of one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import ledger
from audit.models import LedgerEvent
from devices import locks
from devices.models import Command
from devices.outcomes import DeviceRefused, Done, Silent
from devices.services import delivery, inventory, mailbox
from devices.services.delivery import LEASE_SECONDS
from devices.states import Provisioning
from devices.telemetry import ResourceValue
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
            inventory.set_provisioning(device=device, state=Provisioning.READY)
            for _ in range(commands):
                mailbox.enqueue(device=device, operation="read", path=READ, requested_by="user:1", now=NOW)
        return made

    return make


def turn(devices, outcomes=(), now=NOW):
    with ledger.unit_of_work():
        locked = locks.devices(device.pk for device in devices)
        delivery.settle(devices=locked, outcomes=outcomes, now=now)
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
        devices = fleet(count)
        first = turn(devices)
        said = [(claimed.command_id, answer(20.0)) for claimed in first.values()]
        with CaptureQueriesContext(connection) as asked:
            following = turn(devices, said)
        assert len(following) == count
        costs.append(len(asked))
    assert costs[1] <= costs[0] + 1 <= 20  # one looks whether object models were loaded, every two seconds

"""The mailbox: in order, one at a time, never lost with a process, ended exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from accounts.errors import Refused
from audit.models import LedgerEvent
from devices.commands.models import Command
from devices.commands.outcomes import DeviceRefused, Done, Silent
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.inventory.services import devices
from devices.inventory.states import Provisioning
from devices.operations.services import settlement
from provisioning.services import lifecycle
from tests.devices import making
from tests.devices.making import FLOW, NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(seconds=mailbox.LEASE_SECONDS + 1)


@pytest.fixture
def device() -> Device:
    made = making.device(onboarding="direct")
    devices.set_provisioning(device=made, state=Provisioning.READY)
    making.register(made, now=NOW)
    return made


def _put(device: Device, path: str = "/3/0", operation: str = "read", **more) -> Command:
    return mailbox.enqueue(
        device=device, operation=operation, path=path, requested_by="user:1", now=NOW, **more
    )


def _claim(device: Device, flow: str = FLOW, now=NOW):
    return mailbox.claim(device_id=device.pk, flow=flow, now=now)


def test_commands_go_first_in_first_out_and_one_at_a_time(device: Device) -> None:
    first, second, urgent = _put(device, "/3/0/1"), _put(device, "/3/0/2"), _put(device, "/3/0/3", priority=5)
    claimed = _claim(device)
    assert (claimed.command_id, claimed.path, claimed.attempts) == (urgent.pk, "/3/0/3", 1)
    assert _claim(device) is None
    assert _claim(device, flow="southbound.2.other") is None
    for expected in (first, second):
        settlement.settle_one(command_id=claimed.command_id, outcome=Done("2.05", {"/3/0/1": "x"}), now=NOW)
        claimed = _claim(device)
        assert claimed.command_id == expected.pk


@pytest.mark.parametrize(("operation", "path"), [("reed", "/3/0"), ("read", "/3/x"), ("read", "/3/0/1/2/3")])
def test_command_that_cannot_be_is_refused(device: Device, operation: str, path: str) -> None:
    with pytest.raises(Refused) as refused:
        _put(device, path, operation)
    assert refused.value.cause == "VALIDATION_FAILED"


def test_device_that_is_not_active_gets_no_commands(device: Device) -> None:
    _put(device)
    lifecycle.suspend(device=device, reason="")
    with pytest.raises(Refused) as refused:
        _put(device)
    assert refused.value.cause == "DEVICE_SUSPENDED"
    assert _claim(device) is None
    lifecycle.resume(device=device)
    assert _claim(device) is not None


@pytest.mark.parametrize(
    ("outcome", "state", "code", "cause"),
    [
        (Done("2.05", {"a": 1}), "done", "2.05", ""),
        (DeviceRefused("4.05", detail="no"), "refused", "4.05", "COMMAND_REFUSED"),
    ],
)
def test_outcome_is_written_once(device: Device, outcome, state: str, code: str, cause: str) -> None:
    command = _put(device)
    _claim(device)
    settled = settlement.settle_one(command_id=command.pk, outcome=outcome, now=NOW)
    assert (settled.state, settled.response_code, settled.cause) == (state, code, cause)
    again = settlement.settle_one(command_id=command.pk, outcome=Silent("RESPONSE_TIMEOUT"), now=NOW)
    assert again is None
    command.refresh_from_db()
    assert (command.state, command.ended_at) == (state, NOW)
    assert LedgerEvent.objects.filter(action=f"command.{state}").count() == 1


def test_silence_waits_for_the_next_contact_or_a_minute_and_ends_after_three_tries(device: Device) -> None:
    command = _put(device)
    for attempt in range(1, mailbox.MAX_ATTEMPTS + 1):
        now = NOW + timedelta(seconds=attempt * 100)
        assert _claim(device, now=now).attempts == attempt
        settlement.settle_one(command_id=command.pk, outcome=Silent("RESPONSE_TIMEOUT"), now=now)
        assert _claim(device, now=now + timedelta(seconds=30)) is None
    command.refresh_from_db()
    assert (command.state, command.cause) == ("silent", "RESPONSE_TIMEOUT")


def test_device_that_spoke_after_its_silence_gets_the_command_at_once(device: Device) -> None:
    command = _put(device)
    _claim(device)
    settlement.settle_one(command_id=command.pk, outcome=Silent("RESPONSE_TIMEOUT"), now=NOW)
    soon = NOW + timedelta(seconds=5)
    assert _claim(device, now=soon) is None
    assert mailbox.waiting_devices(FLOW, 10, now=soon) == []
    making.register(device, now=soon)
    assert mailbox.waiting_devices(FLOW, 10, now=soon) == [device.pk]
    assert _claim(device, now=soon).command_id == command.pk


@pytest.mark.parametrize("operation", ["execute", "create"])
def test_what_must_not_happen_twice_is_not_repeated_after_silence(device: Device, operation: str) -> None:
    command = _put(device, "/3/0/4" if operation == "execute" else "/10", operation)
    _claim(device)
    settlement.settle_one(command_id=command.pk, outcome=Silent("RESPONSE_TIMEOUT"), now=NOW)
    command.refresh_from_db()
    assert command.state == "silent"


def test_claim_of_a_dead_process_is_taken_over_after_its_lease(device: Device) -> None:
    command = _put(device)
    _claim(device, flow="southbound.9.dead")
    assert _claim(device) is None
    assert mailbox.waiting_devices(FLOW, 10, now=LATER) == [device.pk]
    taken = _claim(device, now=LATER)
    assert (taken.command_id, taken.attempts) == (command.pk, 2)
    assert Command.objects.get(pk=command.pk).claimed_by == FLOW


def test_process_that_ends_gives_back_what_it_claimed(device: Device) -> None:
    command = _put(device)
    _claim(device)
    assert mailbox.release(flow=FLOW, now=NOW) == 1
    assert mailbox.release(flow=FLOW, now=NOW) == 0
    assert _claim(device, flow="southbound.2.next").command_id == command.pk


def test_overdue_commands_expire_and_are_not_sent(device: Device) -> None:
    command = _put(device, expires_in_seconds=10)
    after = NOW + timedelta(seconds=11)
    assert _claim(device, now=after) is None
    assert mailbox.expire_overdue(now=NOW) == 0
    assert mailbox.expire_overdue(now=after) == 1
    assert mailbox.expire_overdue(now=after) == 0
    command.refresh_from_db()
    assert (command.state, command.cause) == ("expired", "COMMAND_EXPIRED")


def test_cancelled_command_is_not_sent_and_cancelled_once(device: Device) -> None:
    command = _put(device)
    assert mailbox.cancel(command_id=command.pk, reason="changed my mind", now=NOW)
    assert not mailbox.cancel(command_id=command.pk, now=NOW)
    assert not mailbox.cancel(command_id=10**9, now=NOW)
    assert _claim(device) is None
    assert mailbox.has_waiting([device.pk]) == set()


def test_waiting_devices_are_those_of_the_flow_that_are_registered(device: Device) -> None:
    _put(device)
    unregistered = making.device()
    _put(unregistered)
    assert mailbox.waiting_devices(FLOW, 10, now=NOW) == [device.pk]
    assert mailbox.waiting_devices("southbound.2.other", 10, now=NOW) == []
    assert mailbox.has_waiting([device.pk, unregistered.pk, 10**9]) == {device.pk, unregistered.pk}


@pytest.mark.django_db(transaction=True)
def test_two_processes_claim_at_once_and_one_gets_it(device: Device) -> None:
    _put(device)
    barrier = Barrier(4)

    def run(number: int):
        try:
            barrier.wait(10)
            return _claim(device, flow=f"southbound.{number}.race")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claims = [claim for claim in pool.map(run, range(4)) if claim is not None]
    assert len(claims) == 1


@pytest.mark.django_db(transaction=True)
def test_two_settle_at_once_and_one_counts(device: Device) -> None:
    command = _put(device)
    _claim(device)
    barrier = Barrier(4)

    def run(code: str):
        try:
            barrier.wait(10)
            return settlement.settle_one(command_id=command.pk, outcome=Done(code), now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        settled = [one for one in pool.map(run, ["2.05", "2.04", "2.02", "2.01"]) if one is not None]
    assert len(settled) == 1
    assert Command.objects.get(pk=command.pk).response_code == settled[0].response_code

"""A device in queue mode listens for its window after its last message of any kind (OMA Transport 6.5, leshan#712)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from devices.commands.models import Command
from devices.commands.outcomes import DeviceRefused, Done, Later, Silent, came_from_device
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.registry.models import Registration
from southbound.outbound.claims import Settled
from tests.southbound.client import until
from tests.southbound.management import managed

pytestmark = pytest.mark.django_db(transaction=True)
WINDOW = 3600


def read(device: Device) -> Command:
    return mailbox.enqueue(device=device, operation="read", path="/3/0/0", requested_by="test")


def heard_ago(seconds: float) -> None:
    Registration.objects.update(last_seen_at=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.parametrize("is_queue_mode", [True, False])
def test_an_answer_prolongs_the_window_and_costs_others_no_write(play, make_device, is_queue_mode):
    device = make_device("dev-1", awake_seconds=WINDOW)

    async def scene(southbound):
        southbound.delivery.wake = lambda device_id: None
        async with managed(southbound, queue_mode=is_queue_mode):
            first = await until(lambda: read(device))
            await until(lambda: heard_ago(WINDOW - 60) is None)
            before = await until(lambda: Registration.objects.get().last_seen_at)
            await southbound.delivery.flush(device.pk)
            assert (await until(lambda: Command.objects.get(pk=first.pk))).state == "done"
            after = await until(lambda: Registration.objects.get().last_seen_at)
            assert (after > before) is is_queue_mode

    play(scene)


ANSWERED = [Done("2.05"), DeviceRefused("4.04"), DeviceRefused("", "COMMAND_REFUSED"), Later(5.0)]
NOTHING_HEARD = [
    Silent("RESPONSE_TIMEOUT"),
    Silent("X", is_counted=False),
    DeviceRefused("", "PAYLOAD_MALFORMED"),
]


@pytest.mark.parametrize("outcome", [*ANSWERED, *NOTHING_HEARD])
def test_what_the_device_said_makes_the_next_command_leave_at_once_and_its_silence_does_not(
    play, make_device, outcome
):
    device = make_device("dev-1", awake_seconds=WINDOW)
    assert came_from_device(outcome) is (outcome in ANSWERED)

    async def scene(southbound):
        southbound.delivery.wake = lambda device_id: None  # claims are made here
        async with managed(southbound, queue_mode=True):
            first, second = await until(lambda: (read(device), read(device)))
            ready = await southbound.claims.take(device.pk)
            assert ready.claimed.command_id == first.pk
            await until(lambda: heard_ago(WINDOW + 60) is None)  # the answer took its time
            following = await southbound.claims.take(device.pk, Settled(device.pk, first.pk, outcome))
            seen = await until(lambda: Registration.objects.get().last_seen_at)
            assert (timezone.now() - seen < timedelta(seconds=WINDOW)) is (outcome in ANSWERED)
            if isinstance(outcome, Later):
                return  # it wants to be left alone, with everything
            if outcome in ANSWERED:
                assert following.claimed.command_id == second.pk
            else:
                assert following is None
                assert (await until(lambda: Command.objects.get(pk=second.pk))).state == "queued"

    play(scene)


def test_an_acknowledged_block_prolongs_it_too(play, make_device):
    device = make_device("dev-1", awake_seconds=WINDOW)

    async def scene(southbound):
        southbound.delivery.wake = lambda device_id: None  # claims are made here
        async with managed(southbound, queue_mode=True):
            first = await until(lambda: read(device))
            await southbound.claims.take(device.pk)
            await until(lambda: heard_ago(WINDOW + 60) is None)
            await southbound.claims.prolong(device.pk, first.pk, 60.0)
            seen = await until(lambda: Registration.objects.get().last_seen_at)
            assert timezone.now() - seen < timedelta(seconds=WINDOW)

    play(scene)

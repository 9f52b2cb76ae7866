"""The ladder on real sockets: a lost device is woken over IP or by SMS, and left in peace once it is back."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.commands.models import Command
from devices.inventory.models import Device, Reach
from devices.messaging.models import SmsMessage
from devices.registry.models import Registration
from devices.registry.services import registrations
from provisioning.ladder import AttemptState, ReachAttempt, ReachPolicy
from provisioning.services import reach_policies, reachability
from simulator.modem import Sim
from tests.southbound.client import until
from tests.southbound.management import managed, uri
from tests.southbound.sms import scene as sms

pytestmark = pytest.mark.django_db(transaction=True)
LIFETIME = 60
WAITS = {"sms_trigger": 60, "sms_bootstrap": 60, "ticket": 0}
SLEEPER = {"queue_mode": True, "lifetime_seconds": LIFETIME, "update_seconds": 3600}


@pytest.fixture(autouse=True)
def _short_windows(settings) -> None:
    settings.AWAKE_SECONDS = 1.0


def missed(device: Device, *, waited: float = 31) -> None:
    """The end of its lifetime is near; the scan and the sweep run as Celery runs them."""
    now = timezone.now()
    Registration.objects.filter(device=device).update(expires_at=now + timedelta(seconds=LIFETIME / 10))
    reach_policies.ensure_all()
    ReachPolicy.objects.update(sms_tokens=60, sms_tokens_at=now)
    assert reachability.look(now=now) == 1
    for _ in range(2):  # what costs an SMS is drawn by the next sweep
        reachability.climb(now=now + timedelta(seconds=waited))


def heard_since(device: Device, moment) -> bool:
    return Registration.objects.filter(device=device, is_live=True, last_seen_at__gt=moment).exists()


async def asleep(device: Device):
    """When the portal has come to think that the device sleeps."""
    await asyncio.sleep(1.1)
    return await until(lambda: timezone.now())


def climbed(device: Device) -> ReachAttempt | None:
    """One run of the ladder, and the attempt if it has found the device by then."""
    reachability.climb(now=timezone.now())
    return ReachAttempt.objects.filter(device=device, state=AttemptState.REACHED).first()


def test_a_late_device_that_still_listens_is_woken_by_the_update_trigger(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        async with managed(southbound, **SLEEPER, awake_seconds=3600) as client:
            moment = await asleep(device)
            await until(lambda: [missed(device)])
            await until(lambda: heard_since(device, moment))
            command = await until(lambda: Command.objects.filter(device=device, state="done").first())
            assert (command.operation, command.path) == ("execute", "/1/0/8")
            assert client.counts["updated"] == 1
            attempt = await until(lambda: climbed(device))  # who is just written to is left to the next run
            assert attempt.reached_by == "update_trigger"
            await until(lambda: [reachability.look(now=timezone.now())])
            assert await until(lambda: [ReachAttempt.objects.count()]) == [1]

    play(scene)


def test_nothing_else_is_sent_to_a_device_that_sleeps(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        async with managed(southbound, **SLEEPER, awake_seconds=3600):
            await asleep(device)
            waiting = await until(
                lambda: Command.objects.create(
                    device=device,
                    operation="read",
                    path="/3/0/0",
                    priority=90,
                    requested_by="test",
                    expires_at=timezone.now() + timedelta(hours=1),
                )
            )
            southbound.delivery.wake(device.pk)
            await until(lambda: [missed(device)])
            trigger = await until(lambda: Command.objects.filter(operation="execute", state="done").first())
            read = await until(lambda: Command.objects.filter(pk=waiting.pk, state="done").first())
            assert trigger.sent_at < read.sent_at, "it waited until the device had called"

    play(scene)


def test_a_device_deaf_to_ip_is_woken_by_sms(play, make_device):
    device = make_device("dev-1", msisdn=sms.NUMBER)

    async def scene(southbound):
        async with sms.linked(device.operator) as switch:
            card = {"sim": Sim(sms.NUMBER, port=switch.port), "sms_number": sms.OURS, "binding": "US"}
            async with managed(southbound, **SLEEPER, awake_seconds=0.1, **card) as client:
                await sms.settled(lambda: client.modem is not None and client.modem.is_connected)
                await sms.settled(lambda: not client.registrations[0].connection.is_awake)
                moment = await asleep(device)
                await until(lambda: [reach_policies.save(operator=device.operator, changes={"waits": WAITS})])
                await until(lambda: [missed(device, waited=0)])
                await until(lambda: heard_since(device, moment), 25)
                message = await until(lambda: SmsMessage.objects.get(purpose="trigger"))
                assert message.device_id == device.pk
                await until(lambda: [reachability.climb(now=timezone.now())])
                attempt = await until(lambda: ReachAttempt.objects.get(device=device))
                assert (attempt.state, attempt.reached_by) == (AttemptState.REACHED, "sms_trigger")

    play(scene, sms=sms.QUICK)


def test_a_device_that_is_gone_goes_up_the_ladder_to_the_ticket(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        async with managed(southbound, **SLEEPER, awake_seconds=0.1) as client:
            assert uri(southbound)
            client.power_off()
            await asleep(device)
            await until(lambda: [missed(device)])
            for minutes in (10, 20):
                now = timezone.now() + timedelta(minutes=minutes)
                await until(lambda now=now: [reachability.climb(now=now)])
            attempt = await until(lambda: ReachAttempt.objects.get(device=device))
            assert attempt.state == AttemptState.EXHAUSTED
            done = [one["kind"] for one in attempt.taken if not one.get("skipped")]
            assert done == ["wait", "update_trigger", "ticket"]

    play(scene)


def test_a_device_that_has_sms_alone_is_woken_after_its_registration_ran_out(play, make_device):
    facts = {"reach": Reach.SMS, "security": "msisdn", "msisdn": sms.NUMBER}
    device = make_device("meter", **facts)

    async def scene(southbound):
        async with (
            sms.linked(device.operator) as switch,
            sms.by_sms(switch, "meter", lifetime_seconds=LIFETIME, update_seconds=3600) as client,
        ):
            await client.until(lambda: client.is_registered)
            await until(lambda: [reach_policies.save(operator=device.operator, changes={"waits": WAITS})])
            await until(lambda: Registration.objects.filter(device=device, is_live=True).first())
            await until(lambda: [ran_out(device)])
            moment = await until(lambda: timezone.now())
            await until(lambda: [missed(device, waited=0)])
            await until(lambda: heard_since(device, moment), 25)
            await client.until(lambda: client.counts["registered"] == 2)
            await until(lambda: [reachability.climb(now=timezone.now())])
            attempt = await until(lambda: ReachAttempt.objects.get(device=device))
            assert (attempt.state, attempt.reached_by) == (AttemptState.REACHED, "sms_trigger")

    play(scene, sms=sms.QUICK, sweep_seconds=0.2)


def ran_out(device: Device) -> None:
    """The portal has given the registration up, as southbound does when a lifetime ends."""
    later = timezone.now() + timedelta(seconds=LIFETIME + 1)
    assert registrations.expire(device_ids=[device.pk], now=later) == [device.pk]

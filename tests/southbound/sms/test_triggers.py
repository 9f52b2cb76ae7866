"""Waking IP devices by SMS, and what becomes of a link when its process does."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from django.utils import timezone

from audit.models import LedgerEvent
from devices.inventory.models import Reach
from devices.messaging.models import SmscLink, SmsMessage, SmsPart
from devices.messaging.services import triggers
from devices.registry.models import Registration
from simulator.modem import Sim
from tests.fakes.devices import running_device
from tests.simulator.sms import smsc
from tests.southbound.client import until
from tests.southbound.conftest import running
from tests.southbound.management import order, told, uri
from tests.southbound.sms.scene import NUMBER, OURS, QUICK, by_sms, link, linked, off

# CON POST /rd?ep=meter&lt=300&lwm2m=1.1&b=S, Content-Format 40, with the object list </1/0>,</3/0>
REGISTER = b"\x42\x02\x12\x34ab\xb2rd\x11\x28\x38ep=meter\x06lt=300\x09lwm2m=1.1\x03b=S\xff</1/0>,</3/0>"
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_trigger_wakes_a_queue_mode_device_and_its_answer_is_noted(play, settings, operator, make_device):
    device = make_device("tracker", msisdn=NUMBER)
    settings.AWAKE_SECONDS = 1

    async def scene(southbound):
        async with (
            linked(operator) as switch,
            running_device(
                "tracker",
                server=uri(southbound),
                queue_mode=True,
                version="1.1",
                sim=Sim(NUMBER, port=switch.port),
                sms_number=OURS,
            ) as client,
        ):
            await client.until(lambda: client.is_registered)
            await until(lambda: Registration.objects.filter(is_live=True).exists())
            await asyncio.sleep(1.2)  # it sleeps now
            asked = asyncio.create_task(order(device, "read", "/3/0/0"))
            await asyncio.sleep(0.5)
            assert not asked.done()
            message = await off(triggers.send, device=device, requested_by="test", reason="asleep")
            assert told(await asked)
            noted = await until(
                lambda: SmsMessage.objects.filter(pk=message.pk, answered_at__isnull=False).first()
            )
            assert noted.answer in ("updated", "registered", "SMS 2.04")
            actions = await off(
                lambda: list(LedgerEvent.objects.order_by("pk").values_list("action", flat=True))
            )
            assert [each for each in actions if "trigger" in each] == [
                "device.triggered",
                "device.trigger_answered",
            ]

    play(scene, sms=QUICK, sweep_seconds=0.2)


def test_another_process_takes_the_link_of_one_that_died(
    transactional_db, settings, tmp_path, operator, make_device
):
    settings.DATA_DIR = tmp_path
    meter = make_device("meter", reach=Reach.SMS, security="msisdn", msisdn=NUMBER)

    async def main():
        async with AsyncExitStack() as stack:
            switch = await stack.enter_async_context(smsc())
            first_stack = AsyncExitStack()
            stack.push_async_callback(first_stack.aclose)
            first = await first_stack.enter_async_context(running(sms=QUICK, sweep_seconds=0.2))
            await link(operator, switch.port)
            second = await stack.enter_async_context(running(sms=QUICK, sweep_seconds=0.2))
            client = await stack.enter_async_context(by_sms(switch, "meter", version="1.1"))
            await client.until(lambda: client.is_registered)
            assert (first.sms.bound(), second.sms.bound()) == ([operator.pk], [])
            await first_stack.aclose()
            await until(lambda: SmscLink.objects.filter(held_by=second.flow, state="bound").exists())
            # Registered through the first, managed through the second.
            assert told(await order(meter, "read", "/3/0/0"))
            await client.update()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_what_was_acknowledged_and_not_answered_is_worked_off_by_the_next(play, operator, make_device):
    make_device("meter", reach=Reach.SMS, security="msisdn", msisdn=NUMBER)
    now = timezone.now()
    SmsPart.objects.create(operator=operator, msisdn=NUMBER, reference="x", payload=REGISTER, received_at=now)

    async def scene(southbound):
        async with linked(operator):
            await until(lambda: Registration.objects.filter(is_live=True, identity=NUMBER).exists())
            answer = await until(lambda: SmsMessage.objects.filter(purpose="response").first())
            assert bytes(answer.payload)[1] == 0x41
            await until(lambda: not SmsPart.objects.filter(handled_at=None).exists())

    play(scene, sms=QUICK)

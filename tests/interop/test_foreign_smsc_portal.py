"""The portal bound to npm's `smpp` as SMSC: a device registers by SMS, is read, and the SMSC misbehaves."""

from __future__ import annotations

import asyncio

import pytest

from devices.commands.models import Command
from devices.inventory.models import Reach
from devices.messaging.models import SmsMessage, SmsPart, SmsState
from devices.operations.services import operations
from devices.registry.models import Registration
from smpp import Status
from tests.interop.foreign_smsc import ForeignSmsc
from tests.southbound.client import until
from tests.southbound.conftest import make_device, operator, play
from tests.southbound.sms.scene import NUMBER, OURS, QUICK, link, off
from tests.southbound.sms.test_triggers import REGISTER

__all__ = ["make_device", "operator", "play"]

pytestmark = pytest.mark.django_db(transaction=True)


def sent(smsc: ForeignSmsc) -> list[bytes]:
    """The CoAP messages of what the portal submitted, without their user data header of 7 bytes."""
    return [bytes.fromhex(each["short_message"])[7:] for each in smsc.pdus("submit_sm")]


def test_a_device_registers_and_is_read(play, operator, make_device, foreign_smsc: ForeignSmsc):
    meter = make_device("meter", reach=Reach.SMS, security="msisdn", msisdn=NUMBER)

    async def scene(southbound):
        await link(operator, foreign_smsc.port)
        foreign_smsc.set(throttle=1)
        came = foreign_smsc.deliver_message(REGISTER, source=NUMBER, destination=OURS)
        await until(lambda: Registration.objects.filter(is_live=True, identity=NUMBER).exists())
        await until(lambda: all(foreign_smsc.acknowledged(each) == [Status.OK] for each in came))
        answers = await until(lambda: [each for each in sent(foreign_smsc) if each[1] == 0x41])
        assert answers[0][2:6] == REGISTER[2:6]
        await until(
            lambda: SmsMessage.objects.filter(attempts__gt=1, state__in=["sent", "delivered"]).exists()
        )

        command = await off(
            operations.request, device=meter, operation="read", path="/3/0/0", requested_by="test"
        )
        asked = (await until(lambda: [each for each in sent(foreign_smsc) if each[1] == 0x01]))[0]
        token = asked[4 : 4 + (asked[0] & 15)]
        answer = bytes((0x60 | len(token), 0x45)) + asked[2:4] + token + b"\xc0\xffAcme"
        # It is told twice.
        foreign_smsc.deliver_message(answer, source=NUMBER, destination=OURS)
        foreign_smsc.deliver_message(answer, source=NUMBER, destination=OURS)
        done = await until(lambda: Command.objects.filter(pk=command.pk, state="done").first())
        assert done.answer["nodes"][0]["value"] == "Acme"
        await until(lambda: not SmsPart.objects.filter(handled_at=None).exists())

    play(scene, sms=QUICK, sweep_seconds=0.2)


def test_it_goes_down_and_up(play, operator, make_device, foreign_smsc: ForeignSmsc):
    make_device("meter", reach=Reach.SMS, security="msisdn", msisdn=NUMBER)

    async def scene(southbound):
        await link(operator, foreign_smsc.port)
        await asyncio.to_thread(foreign_smsc.down)
        await until(lambda: not southbound.sms.bound())
        await asyncio.to_thread(foreign_smsc.up)
        await until(lambda: southbound.sms.bound())
        foreign_smsc.deliver_message(REGISTER, source=NUMBER, destination=OURS)
        await until(lambda: Registration.objects.filter(is_live=True, identity=NUMBER).exists())
        await until(lambda: SmsMessage.objects.filter(state__in=[SmsState.SENT, SmsState.DELIVERED]).exists())

    play(scene, sms=QUICK, sweep_seconds=0.2)

"""SMS as SMSCs of many makers hand them over, and their receipts."""

from __future__ import annotations

import asyncio

import pytest

from devices.inventory.models import Device, Reach
from devices.messaging.models import SmsPart
from devices.registry.models import Registration
from devices.telemetry.models import ResourceValue
from simulator.smsc_store import Message
from smpp import Address, DataSm, DeliverSm, MessageState, parts, receipts
from smpp.parts import Part
from smpp.udh import Concat
from tests.field import scripted
from tests.field.cases import Case, by_way, one
from tests.southbound.client import until
from tests.southbound.sms.scene import NUMBER, OURS, QUICK, by_sms, linked, off

DEVICE, PORTAL = Address.parse(NUMBER), Address.parse(OURS)
COAP = bytes.fromhex("40021234b2726411")


@pytest.fixture
def meter(make_device) -> Device:
    made = make_device("meter", reach=Reach.SMS, security="msisdn", msisdn=NUMBER)
    scripted.load_model(made)
    return made


def hand_over(switch, body: DeliverSm | DataSm) -> Message:
    """A message to the portal, as the network hands it over."""
    message = Message(switch.switch.store.new_id(), body, asyncio.get_running_loop().time() + 600)
    switch.switch.accept(message)
    return message


def body_of(case: Case) -> DeliverSm | DataSm:
    said = case.input
    told = {}
    tlv = bytes.fromhex(said.get("tlv_hex", ""))
    while tlv:
        tag, length = int.from_bytes(tlv[:2], "big"), int.from_bytes(tlv[2:4], "big")
        told[tag], tlv = tlv[4 : 4 + length], tlv[4 + length :]
    common = {"esm_class": int(said["esm_class"], 16), "data_coding": int(said["data_coding"], 16)}
    if said["pdu"] == "data_sm":
        return DataSm(DEVICE, PORTAL, parameters=told, **common)
    return DeliverSm(DEVICE, PORTAL, bytes.fromhex(said["short_message_hex"]), parameters=told, **common)


@by_way("smpp-binary-data-coding", "smpp-concat-zero")
@pytest.mark.django_db(transaction=True)
def test_binary_of_every_spelling_is_taken_whole(play, operator, meter, case):
    async def scene(southbound):
        async with linked(operator) as switch:
            message = hand_over(switch, body_of(case))
            part = await until(lambda: SmsPart.objects.first())
            assert bytes(part.payload) == COAP
            await until(lambda: not SmsPart.objects.filter(handled_at=None).exists())
            assert message.is_done

    play(scene, sms=QUICK, sweep_seconds=0.2)


def _send(value: str, size: int) -> bytes:
    """``POST /dp``, padded by the text it carries to more than one SMS."""
    text = f'[{{"n":"/3/0/15","vs":"{value * size}"}}]'.encode()
    return b"\x51\x02\x55" + value.encode() + b"\x0a\xb2dp\x11\x6e\xff" + text


@pytest.mark.django_db(transaction=True)
def test_parts_of_two_messages_with_one_reference_are_never_mixed(play, operator, meter):
    assert one("sms-reference-reused-1").expected.startswith("B as sent")
    first, second = _send("a", 150), _send("b", 150)

    def part(content: bytes, number: int) -> DeliverSm:
        halves = content[:120], content[120:]
        return parts.deliver_sm(
            Part(halves[number - 1], parts.COAP, Concat(1, 2, number)), source=DEVICE, destination=PORTAL
        )

    async def scene(southbound):
        async with linked(operator) as switch:
            async with by_sms(switch, "meter") as client:
                await client.until(lambda: client.is_registered)
                await until(lambda: Registration.objects.filter(is_live=True).first())
            for body in (part(first, 2), part(second, 1), part(second, 2)):
                message = hand_over(switch, body)
                while not message.is_done:
                    await asyncio.sleep(0.01)
            await until(lambda: ResourceValue.objects.filter(path="/3/0/15").exists())
            found = await off(lambda: list(ResourceValue.objects.values_list("path", "text")))
            assert ("/3/0/15", "b" * 150) in found

    play(scene, sms=QUICK, sweep_seconds=0.2)
    assert [row.text for row in ResourceValue.objects.filter(path="/3/0/15")] == ["b" * 150]


STATES = {
    "undeliverable": MessageState.UNDELIVERABLE,
    "rejected": MessageState.REJECTED,
    "delivered": MessageState.DELIVERED,
}


@by_way("smpp-receipt")
def test_a_receipt_is_read(case):
    text = bytes.fromhex(case.input["short_message_hex"])
    found = receipts.read(
        DeliverSm(
            DEVICE,
            PORTAL,
            text,
            esm_class=int(case.input["esm_class"], 16),
            data_coding=int(case.input.get("data_coding", "0"), 16),
        )
    )
    word = next(word for word in STATES if word in case.expected)
    assert found is not None
    assert found.state is STATES[word]
    assert found.state.is_final
    assert found.message_id == case.input["short_message"].split("id:")[1].split(" ")[0]

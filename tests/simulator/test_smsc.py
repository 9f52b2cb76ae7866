"""The loopback SMSC against bare ESMEs on real sockets."""

from __future__ import annotations

import asyncio

import pytest

from simulator.smsc_faults import SmscFaults
from smpp import (
    Addressing,
    Bind,
    BindRefused,
    Limits,
    MessageState,
    Pdu,
    Received,
    Status,
    Tag,
    Unanswered,
    encode,
    is_receipt,
    part_of,
    receipts,
)
from smpp.parts import UDHI
from tests.fakes.waiting import eventually
from tests.simulator.sms import Esme, smsc

PORTAL, DEVICE = "+491700000001", "+491700000002"


async def test_hands_a_message_from_one_number_to_the_other() -> None:
    async with smsc() as running:
        portal, device = await Esme(PORTAL).bound(running), await Esme(DEVICE).bound(running)
        portal.submit(DEVICE, b"\x40\x01hello")
        await eventually(lambda: len(device.received) == 1)
        body = device.received[0]
        assert (body.source.msisdn, body.destination.msisdn) == (PORTAL, DEVICE)
        assert part_of(body).payload == b"\x40\x01hello"
        assert [answer.status for answer in portal.answers] == [Status.OK]


async def test_serves_several_operators_and_many_devices_at_once() -> None:
    north, south = PORTAL, "2772"
    devices = [f"+4917200000{number:02d}" for number in range(20)]
    async with smsc() as running:
        portals = [await Esme(number).bound(running) for number in (north, south)]
        phones = [await Esme(number).bound(running) for number in devices]
        for portal, payload in zip(portals, (b"from north", b"from south"), strict=True):
            for number in devices:
                portal.submit(number, payload)
        for phone in phones:
            phone.submit(south, b"to south")
        await eventually(lambda: all(len(phone.received) == 2 for phone in phones))
        await eventually(lambda: len(portals[1].received) == 20)
        assert portals[0].received == []
        for phone in phones:
            told = {str(body.source): part_of(body).payload for body in phone.received}
            assert told == {north: b"from north", south: b"from south"}
        assert {body.source.msisdn for body in portals[1].received} == set(devices)


async def test_keeps_a_message_until_somebody_holds_the_number() -> None:
    async with smsc() as running:
        portal = await Esme(PORTAL).bound(running)
        portal.submit(DEVICE, b"later", validity_seconds=600)
        await eventually(lambda: len(portal.answers) == 1)
        assert len(running.switch.store) == 1
        device = await Esme(DEVICE).bound(running)
        await eventually(lambda: len(device.received) == 1)
        assert len(running.switch.store) == 0


async def test_refuses_a_number_that_nobody_holds_when_told_to() -> None:
    async with smsc(keeps=False) as running:
        portal = await Esme(PORTAL).bound(running)
        portal.submit(DEVICE, b"never")
        await eventually(lambda: len(portal.answers) == 1)
        assert portal.answers[0].status == Status.INVDSTADR


async def test_tells_what_became_of_a_message() -> None:
    async with smsc() as running:
        portal, device = await Esme(PORTAL).bound(running), await Esme(DEVICE).bound(running)
        portal.submit(DEVICE, b"ping", wants_receipt=True)
        await eventually(lambda: any(map(is_receipt, portal.received)))
        receipt = receipts.read(portal.received[0])
        assert receipt is not None
        assert receipt.message_id == portal.answers[0].message_id
        assert receipt.state is MessageState.DELIVERED
        assert len(device.received) == 1


async def test_tells_that_a_message_expired() -> None:
    async with smsc() as running:
        portal = await Esme(PORTAL).bound(running)
        portal.submit(DEVICE, b"ping", wants_receipt=True, validity_seconds=1)
        await eventually(lambda: any(map(is_receipt, portal.received)))
        receipt = receipts.read(portal.received[0])
        assert receipt is not None
        assert receipt.state is MessageState.EXPIRED


async def test_tells_that_a_device_will_never_take_a_message() -> None:
    async with smsc() as running:
        portal = await Esme(PORTAL).bound(running)
        device = await Esme(DEVICE, acknowledges=Status.RX_R_APPN).bound(running)
        portal.submit(DEVICE, b"ping", wants_receipt=True)
        await eventually(lambda: any(map(is_receipt, portal.received)))
        receipt = receipts.read(portal.received[0])
        assert receipt is not None
        assert receipt.state is MessageState.UNDELIVERABLE
        assert len(device.received) == 1


async def test_repeats_what_is_not_acknowledged() -> None:
    async with smsc() as running:
        portal = await Esme(PORTAL).bound(running)
        device = await Esme(DEVICE, acknowledges=Status.RX_T_APPN).bound(running)
        portal.submit(DEVICE, b"again")
        await eventually(lambda: len(device.received) >= 3)
        device.acknowledges = Status.OK
        await eventually(lambda: running.counts["acknowledged"] == 1)
        assert len(running.switch.store) == 0


async def test_what_is_acknowledged_late_is_not_repeated_again() -> None:
    async with smsc(limits=Limits(response_timeout=0.2), repeat_seconds=1.0) as running:
        portal = await Esme(PORTAL).bound(running)
        device = await Esme(DEVICE, acknowledges=None).bound(running)
        portal.submit(DEVICE, b"slow", wants_receipt=True)
        await eventually(lambda: len(running.switch.store) == 1)  # given up, to be told again
        [handle] = [event.handle for event in device.events if isinstance(event, Received)]
        device.wire.act(device.session.acknowledge(handle, now=0.0))
        await eventually(lambda: any(map(is_receipt, portal.received)))
        await eventually(lambda: len(running.switch.store) == 0)
        assert len(device.received) == 1


async def test_delivers_to_the_next_connection_what_the_last_one_did_not_acknowledge() -> None:
    async with smsc() as running:
        portal = await Esme(PORTAL).bound(running)
        first = await Esme(DEVICE, acknowledges=None).bound(running)
        portal.submit(DEVICE, b"stored first")
        await eventually(lambda: len(first.received) == 1)
        first.wire.cut()
        second = await Esme(DEVICE).bound(running)
        await eventually(lambda: len(second.received) == 1)
        assert part_of(second.received[0]).payload == b"stored first"


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [("stranger", "secret", Status.INVSYSID), ("portal", "guess", Status.INVPASWD)],
)
async def test_lets_only_its_accounts_in(system_id: str, password: str, status: int) -> None:
    async with smsc() as running:
        portal = await Esme(PORTAL).connect(running, system_id, password)
        await eventually(lambda: portal.is_closed)
        refused = [event for event in portal.events if isinstance(event, BindRefused)]
        assert [each.status for each in refused] == [status]
        assert not refused[0].may_retry


@pytest.mark.parametrize("garbage", [bytes(16), b"\xff" * 40, b"GET / HTTP/1.1\r\n\r\n"])
async def test_garbage_ends_a_connection_and_nothing_else(garbage: bytes) -> None:
    async with smsc() as running:
        for beginning in (b"", encode(Pdu(Bind("portal", "secret"), 1))):
            reader, writer = await asyncio.open_connection(running.host, running.port)
            writer.write(beginning + garbage)
            while await reader.read(1000):
                pass
            writer.close()
            await writer.wait_closed()
        portal = await Esme(PORTAL).bound(running)
        assert portal.session.is_bound
        assert len(running.lines.all) == 1


async def test_nobody_sends_from_the_number_of_another() -> None:
    async with smsc() as running:
        device = await Esme(DEVICE).bound(running)
        thief = await Esme(PORTAL).bound(running)
        thief.own = device.own
        thief.submit(PORTAL, b"I am the device")
        await eventually(lambda: len(thief.answers) == 1)
        assert thief.answers[0].status == Status.INVSRCADR


async def test_writes_the_header_that_the_parameters_ask_for() -> None:
    async with smsc() as running:
        portal, device = await Esme(PORTAL).bound(running), await Esme(DEVICE).bound(running)
        portal.submit(DEVICE, bytes(200), addressing=Addressing.TLV)
        await eventually(lambda: len(device.received) == 2)
        for body in device.received:
            assert body.esm_class & UDHI
            assert Tag.DESTINATION_PORT not in body.parameters
            assert part_of(body).concat is not None
        assert b"".join(part_of(body).payload for body in device.received) == bytes(200)


async def test_one_connection_may_hold_all_numbers_that_begin_alike() -> None:
    async with smsc() as running:
        portal, fleet = await Esme(PORTAL).bound(running), Esme("+4915000000")
        fleet.own = type(fleet.own)(1, 1, "^4915")
        await fleet.bound(running)
        for number in ("+4915000001", "+4915000002"):
            portal.submit(number, b"x")
        await eventually(lambda: len(fleet.received) == 2)
        assert {body.destination.msisdn for body in fleet.received} == {"+4915000001", "+4915000002"}


# -- faults ----------------------------------------------------------------------------------------------------


async def test_throttles_refuses_and_stays_silent_on_purpose() -> None:
    async with smsc(faults=SmscFaults(throttle=1, refuse=1, silent=1)) as running:
        portal = await Esme(PORTAL, response_timeout=0.2).bound(running)
        portal.submit(DEVICE, b"1", "throttled")
        await eventually(lambda: len(portal.answers) == 1)
        await eventually(lambda: portal.session.room(portal.wire._loop.time()) > 0)
        portal.submit(DEVICE, b"2", "refused")
        portal.submit(DEVICE, b"3", "silent")
        portal.submit(DEVICE, b"4", "taken")
        await eventually(lambda: any(isinstance(event, Unanswered) for event in portal.events))
        answers = {answer.key: answer.status for answer in portal.answers}
        assert answers == {"throttled": Status.THROTTLED, "refused": Status.INVDSTADR, "taken": Status.OK}
        assert running.counts["unanswered"] == 1


async def test_delivers_parts_last_first_and_twice_on_purpose() -> None:
    async with smsc(faults=SmscFaults(reorder=6, duplicate=1.0)) as running:
        portal, device = await Esme(PORTAL).bound(running), await Esme(DEVICE).bound(running)
        portal.submit(DEVICE, bytes(range(256)) + bytes(100))
        await eventually(lambda: len(device.received) == 6)
        numbers = [part_of(body).concat.number for body in device.received]  # type: ignore[union-attr]
        assert numbers == [3, 3, 2, 2, 1, 1]


async def test_loses_messages_on_purpose() -> None:
    async with smsc(faults=SmscFaults(drop=1.0)) as running:
        portal, device = await Esme(PORTAL).bound(running), await Esme(DEVICE).bound(running)
        portal.submit(DEVICE, b"gone")
        await eventually(lambda: running.counts["dropped"] == 1)
        running.faults.drop = 0.0
        portal.submit(DEVICE, b"there")
        await eventually(lambda: len(device.received) == 1)
        assert part_of(device.received[0]).payload == b"there"


async def test_goes_down_and_comes_up_with_what_it_stored() -> None:
    async with smsc() as running:
        portal = await Esme(PORTAL).bound(running)
        portal.submit(DEVICE, b"kept")
        await eventually(lambda: len(portal.answers) == 1)
        await running.go_down()
        await eventually(lambda: portal.is_closed)
        with pytest.raises(OSError, match=r"."):
            await Esme(DEVICE).connect(running)
        await running.come_up()
        device = await Esme(DEVICE).bound(running)
        await eventually(lambda: len(device.received) == 1)

"""Our end of SMPP against npm's `smpp` as SMSC: what it reads of us, and what we read of it."""

from __future__ import annotations

import pytest

from lwm2m.codes import Code
from lwm2m.messages import Deregister, Register, Update
from simulator.modem import Sim
from smpp import (
    Addressing,
    BindRefused,
    Closed,
    Fault,
    MessageState,
    Reachable,
    Reassembly,
    Spelling,
    Status,
    Unanswered,
    is_receipt,
    part_of,
    receipts,
)
from tests.fakes.devices import running_device
from tests.fakes.waiting import eventually
from tests.interop.foreign_smsc import ForeignSmsc
from tests.simulator.peers import Server
from tests.simulator.sms import Esme, SmsServer

OURS, DEVICE = "+491700000001", "+491711234567"


async def test_reads_our_bind_and_is_read(foreign_smsc: ForeignSmsc) -> None:
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        bind = foreign_smsc.pdus("bind_transceiver")[0]
        assert bind["system_id"] == "portal"
        assert (bind["addr_ton"], bind["addr_npi"], bind["address_range"]) == (1, 1, "491700000001")
        assert bind["interface_version"] == 0x34
        esme.wire.act(esme.session.unbind(0))
        await eventually(lambda: esme.is_closed)


async def test_reads_a_part_in_the_user_data_header(foreign_smsc: ForeignSmsc) -> None:
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        esme.submit(DEVICE, bytes(range(200)), wants_receipt=True, validity_seconds=3600)
        await eventually(lambda: len(esme.answers) == 2)
        first, second = foreign_smsc.pdus("submit_sm")
        # 3GPP TS 23.040 9.2.3.24: UDHL, ports 5683 and 5683, part 1 of 2 of message 1
        assert first["short_message"][:24] == "0b0504163316330003010201"
        assert second["short_message"][:24] == "0b0504163316330003010202"
        assert first["short_message"][24:] + second["short_message"][24:] == bytes(range(200)).hex()
        assert (first["data_coding"], first["esm_class"], first["registered_delivery"]) == (4, 0x40, 1)
        assert (first["dest_addr_ton"], first["destination_addr"]) == (1, "491711234567")
        assert [answer.message_id for answer in esme.answers] == ["a001", "a002"]


async def test_reads_a_part_in_optional_parameters(foreign_smsc: ForeignSmsc) -> None:
    async with Esme("2772") as esme:
        await esme.bound(foreign_smsc)
        esme.submit(DEVICE, bytes(200), addressing=Addressing.TLV)
        await eventually(lambda: len(esme.answers) == 2)
        told = foreign_smsc.pdus("submit_sm")[1]
        assert (told["source_port"], told["dest_port"]) == (5683, 5683)
        assert (told["sar_msg_ref_num"], told["sar_total_segments"], told["sar_segment_seqnum"]) == (1, 2, 2)
        assert (told["source_addr_ton"], told["source_addr"]) == (3, "2772")


async def test_its_receipts_name_our_message(foreign_smsc: ForeignSmsc) -> None:
    foreign_smsc.set(decimal_receipts=True, receipt_state="UNDELIV")
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        esme.submit(DEVICE, b"ping", wants_receipt=True)
        await eventually(lambda: any(map(is_receipt, esme.received)))
        receipt = receipts.read(esme.received[0])
        assert receipt is not None
        assert receipt.state is MessageState.UNDELIVERABLE
        assert receipt.message_id != esme.answers[0].message_id
        said = receipts.responses(receipt.message_id)
        assert said[Spelling.DECIMAL] == receipts.canonical(esme.answers[0].message_id)


async def test_its_parts_out_of_order_and_twice_make_one_message(foreign_smsc: ForeignSmsc) -> None:
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        payload = bytes(index % 251 for index in range(300))
        sent = foreign_smsc.deliver_message(payload, source=DEVICE, destination=OURS, order=(3, 1, 1, 2, 3))
        await eventually(lambda: len(esme.received) == 5)
        await eventually(lambda: all(foreign_smsc.acknowledged(each) == [Status.OK] for each in sent))
        gathered: Reassembly[int] = Reassembly()
        wholes = [
            gathered.add(body.source.msisdn or "", part_of(body), number, 0.0)
            for number, body in enumerate(esme.received)
        ]
        found = [whole for whole in wholes if whole is not None]
        assert [(whole.payload, whole.handles) for whole in found] == [(payload, (0, 1, 2, 3))]
        assert gathered.spent() == [4]


async def test_its_message_payload_and_ports_are_read(foreign_smsc: ForeignSmsc) -> None:
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        told = {"source_port": 5683, "dest_port": 5683}
        foreign_smsc.deliver(b"\x40\x01\x12\x34", source=DEVICE, destination=OURS, as_payload=True, tlvs=told)
        await eventually(lambda: len(esme.received) == 1)
        part = part_of(esme.received[0])
        assert part.payload == b"\x40\x01\x12\x34"
        assert part.ports is not None
        assert part.ports.destination == 5683


async def test_a_message_is_not_acknowledged_by_itself(foreign_smsc: ForeignSmsc) -> None:
    async with Esme(OURS, acknowledges=None) as esme:
        await esme.bound(foreign_smsc)
        sent = foreign_smsc.deliver(b"\x40\x01", source=DEVICE, destination=OURS)
        await eventually(lambda: len(esme.received) == 1)
        foreign_smsc.order("enquire")
        await eventually(lambda: foreign_smsc.events("enquired"))
        assert foreign_smsc.acknowledged(sent) == []


async def test_throttled_refused_slow_silent_and_twice_answered(foreign_smsc: ForeignSmsc) -> None:
    foreign_smsc.set(throttle=1)
    async with Esme(OURS, response_timeout=0.5) as esme:
        await esme.bound(foreign_smsc)
        esme.submit(DEVICE, b"1", "throttled")
        await eventually(lambda: len(esme.answers) == 1)
        await eventually(lambda: esme.session.room(esme.wire._loop.time()) > 0)
        foreign_smsc.set(refuse=1, silent=1, duplicate=1)
        for key in ("refused", "silent", "twice"):
            esme.submit(DEVICE, b"x", key)
        await eventually(lambda: any(isinstance(event, Unanswered) for event in esme.events))
        assert {answer.key: answer.status for answer in esme.answers} == {
            "throttled": Status.THROTTLED,
            "refused": Status.INVDSTADR,
            "twice": Status.OK,
        }
        assert len([event for event in esme.events if isinstance(event, Fault)]) == 1


async def test_a_wrong_password_needs_a_person(foreign_smsc: ForeignSmsc) -> None:
    async with Esme(OURS) as esme:
        await esme.connect(foreign_smsc, "portal", "guess")
        await eventually(lambda: esme.is_closed)
        refused = [event for event in esme.events if isinstance(event, BindRefused)]
        assert [(each.status, each.may_retry) for each in refused] == [(Status.INVPASWD, False)]


@pytest.mark.parametrize("bytes_", ["00000004", "7fffffff00000005", "00000010000000ff0000000000000001"])
async def test_bytes_that_are_no_pdu_of_ours(foreign_smsc: ForeignSmsc, bytes_: str) -> None:
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        foreign_smsc.order("raw", hex=bytes_)
        await eventually(lambda: len(foreign_smsc.pdus("generic_nack")) == 1)
        assert any(isinstance(event, Fault) for event in esme.events)


async def test_hears_that_a_number_is_there_again(foreign_smsc: ForeignSmsc) -> None:
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        foreign_smsc.order("alert", source=DEVICE)
        await eventually(lambda: any(isinstance(event, Reachable) for event in esme.events))


async def test_goes_down_in_the_middle_and_comes_up(foreign_smsc: ForeignSmsc) -> None:
    foreign_smsc.set(silent=1)
    async with Esme(OURS) as esme:
        await esme.bound(foreign_smsc)
        esme.submit(DEVICE, b"x", "lost")
        await eventually(lambda: foreign_smsc.pdus("submit_sm"))
        foreign_smsc.down()
        await eventually(lambda: esme.is_closed)
        assert [event.key for event in esme.events if isinstance(event, Unanswered)] == ["lost"]
        assert isinstance(esme.events[-1], Closed)
        foreign_smsc.up()
        async with Esme(OURS) as again:
            await again.bound(foreign_smsc)


async def test_a_simulated_device_lives_on_it(foreign_smsc: ForeignSmsc) -> None:
    """Register in parts, read, update and leave, each SMS of it through npm's smpp both ways."""
    portal = SmsServer(Server(), OURS)
    card = Sim(DEVICE, port=foreign_smsc.port)
    async with (
        portal.at(foreign_smsc) as server,
        running_device(
            "meter", server=server.uri, sim=card, binding="S", version="1.0", lifetime_seconds=3600
        ) as device,
    ):
        await device.until(lambda: device.is_registered)
        answer = await server.registered["meter"].ask(Code.GET, "/3/0/0", accept=0)
        assert answer.payload == b"Virtual Devices"
        await device.update()
        await device.stop(deregister=True)
        assert [len(server.of(kind)) for kind in (Register, Update, Deregister)] == [1, 1, 1]
        assert {pdu["data_coding"] for pdu in foreign_smsc.pdus("submit_sm")} == {4}

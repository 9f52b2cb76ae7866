"""PDUs as others wrote them, beside what they say. Where each is from stands beside it.

Specification: SMPP Protocol Specification v3.4 Issue 1.2, section 3.2 (the sample PDU), also in the tests of
larvit/larvitsmpp. Cloudhopper: twitter-archive/cloudhopper-smpp, PduDecoderTest, captures from SMSCs in service.
Larvit: larvit/larvitsmpp, tests of captured PDUs.
"""

from __future__ import annotations

import pytest

from smpp import (
    Address,
    Bind,
    Command,
    DeliverSm,
    MessageState,
    Spelling,
    Status,
    SubmitSm,
    Tag,
    decode_all,
    encode,
    is_receipt,
    receipts,
)
from smpp.parts import user_data
from smpp.pdus import BindResp, EnquireLink, EnquireLinkResp, GenericNack, Pdu, SubmitSmResp, Unbind, Unknown

MENU = bytes.fromhex("4024232125262f3a")
NETWORKS = {0x000E: b"\x01", 0x0006: b"\x01"}  # source_network_type and dest_network_type: GSM

WRITTEN_ALIKE = [
    pytest.param(
        "0000002F000000020000000000000001534D50503354455354007365637265743038005355424D4954310000010100",
        Pdu(Bind("SMPP3TEST", "secret08", "SUBMIT1", 0, 1, 1, "", Command.BIND_TRANSMITTER), 1),
        id="specification: bind_transmitter",
    ),
    pytest.param(
        "00000023000000090000000000039951414c4c5f545700414c4c5f5457000034010200",
        Pdu(Bind("ALL_TW", "ALL_TW", "", 0x34, 1, 2, ""), 235857),
        id="cloudhopper: bind_transceiver",
    ),
    pytest.param(
        "00000025000000010000000000039961747769747465720074776974746572000034000000",
        Pdu(Bind("twitter", "twitter", command=Command.BIND_RECEIVER), 235873),
        id="cloudhopper: bind_receiver",
    ),
    pytest.param(
        "0000001d800000090000000000039943536d7363204757000210000134",
        Pdu(BindResp("Smsc GW", {Tag.SC_INTERFACE_VERSION: b"\x34"}), 235843),
        id="cloudhopper: bind_transceiver_resp with an optional parameter",
    ),
    pytest.param(
        "0000001000000015000000007fffffff", Pdu(EnquireLink(), 0x7FFFFFFF), id="cloudhopper: enquire_link"
    ),
    pytest.param(
        "0000001080000015000000000a342eed", Pdu(EnquireLinkResp(), 171192045), id="cloudhopper: its response"
    ),
    pytest.param("00000010000000060000000000000001", Pdu(Unbind(), 1), id="cloudhopper: unbind"),
    pytest.param(
        "00000010800000000000000100082a77",
        Pdu(GenericNack(), 535159, Status.INVMSGLEN),
        id="cloudhopper: generic_nack",
    ),
    pytest.param(
        "0000001c80000004000000000a342ee1393432353834333135393400",
        Pdu(SubmitSmResp("94258431594"), 171192033),
        id="cloudhopper: submit_sm_resp",
    ),
    pytest.param(
        "00000039000000040000000000004FE80001013430343034000101343439353133363139323000000000000001000000084024232125262F3A",
        Pdu(
            SubmitSm(
                Address(1, 1, "40404"),
                Address(1, 1, "44951361920"),
                short_message=MENU,
                registered_delivery=1,
            ),
            20456,
        ),
        id="cloudhopper: submit_sm",
    ),
    pytest.param(
        "000000400000000500000000000000030002013837363534333231000409343034303400000000000000000000084024232125262F3A000E0001010006000101",
        Pdu(
            DeliverSm(
                Address(2, 1, "87654321"),
                Address(4, 9, "40404"),
                short_message=MENU,
                parameters=NETWORKS,
            ),
            3,
        ),
        id="cloudhopper: deliver_sm",
    ),
    pytest.param(
        "00000040000000050000000000657E4E0002013434393531333631393200040934303430340000000000000000000000000E0001010006000101042400024F6B",
        Pdu(
            DeliverSm(
                Address(2, 1, "4495136192"),
                Address(4, 9, "40404"),
                parameters={**NETWORKS, Tag.MESSAGE_PAYLOAD: b"Ok"},
            ),
            6651470,
        ),
        id="cloudhopper: deliver_sm with message_payload",
    ),
]

RECEIPT = (
    "000000BA00000005000000000000000200010134343935313336313932300001013430343034000400000000000000006E69643A303035"
    "39313133393738207375623A30303120646C7672643A303031207375626D697420646174653A3130303231303137333020646F6E652064"
    "6174653A3130303231303137333120737461743A44454C49565244206572723A30303020746578743A4024232125262F3A000E00010100"
    "06000101001E000833383630316661000427000102"
)


@pytest.mark.parametrize(("octets", "pdu"), WRITTEN_ALIKE)
def test_is_read_and_written_as_others_do(octets: str, pdu: Pdu) -> None:
    assert decode_all(bytes.fromhex(octets)) == [pdu]
    assert encode(pdu) == bytes.fromhex(octets)


def test_a_receipt_of_an_smsc_in_service() -> None:
    """Cloudhopper: the text spells the id in decimal, the parameter in hexadecimal without a leading zero."""
    [pdu] = decode_all(bytes.fromhex(RECEIPT))
    assert isinstance(pdu.body, DeliverSm)
    assert is_receipt(pdu.body)
    assert user_data(pdu.body).startswith(b"id:0059113978 sub:001 dlvrd:001")
    receipt = receipts.read(pdu.body)
    assert receipt is not None
    assert receipt.message_id == "38601fa"
    assert receipt.state is MessageState.DELIVERED
    assert receipt.error == "000"
    assert receipts.responses(receipt.message_id)[Spelling.HEXADECIMAL] == "59113978"
    assert encode(pdu) == bytes.fromhex(RECEIPT)


@pytest.mark.parametrize(
    ("octets", "pdu"),
    [
        pytest.param(
            "0000001080000004000000000a342ee1",
            Pdu(SubmitSmResp(""), 171192033),
            id="cloudhopper: submit_sm_resp without a message_id",
        ),
        pytest.param(
            "00000015800000090000000e00004db3534d534300",
            Pdu(BindResp("SMSC"), 19891, Status.INVPASWD),
            id="cloudhopper: a refused bind that has a body all the same",
        ),
        pytest.param(
            "0000003c0000000400000000000000020001003436373031313333313131000101343637303937373133333700000000000000000100047465737400",
            Pdu(
                SubmitSm(
                    Address(1, 0, "46701133111"),
                    Address(1, 1, "46709771337"),
                    short_message=b"test",
                    data_coding=1,
                ),
                2,
            ),
            id="larvit: a NUL after short_message that its length does not count",
        ),
    ],
)
def test_is_read_though_it_is_not_quite_right(octets: str, pdu: Pdu) -> None:
    assert decode_all(bytes.fromhex(octets)) == [pdu]


def test_a_command_that_nobody_knows_does_not_hide_the_next_pdu() -> None:
    """Cloudhopper, decodeBadPduButSkipAllDataInBuffer."""
    octets = bytes.fromhex("0000001100000110000000000a342ee70F0000001000000015000000000a342ee7")
    assert decode_all(octets) == [Pdu(Unknown(0x110, b"\x0f"), 171192039), Pdu(EnquireLink(), 171192039)]

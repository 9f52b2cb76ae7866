"""Payloads in parts and together again, whatever the order, the losses and the lies."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import (
    COAP,
    Address,
    Addressing,
    Concat,
    DataSm,
    DeliverSm,
    Malformed,
    NotBinary,
    Part,
    Pdu,
    Ports,
    Reassembly,
    SubmitSm,
    Tag,
    TooLong,
    decode_all,
    encode,
    part_of,
    split,
    submit_sm,
)
from smpp.parts import MAX_PAYLOAD, UDHI

OURS, DEVICE = Address.parse("2772"), Address.parse("+491711234567")
payloads = st.binary(max_size=1500)
references = st.integers(0, 0xFFFF)


# -- out -------------------------------------------------------------------------------------------------------


@given(payloads, references, st.sampled_from(list(Addressing)), st.sampled_from([None, COAP]))
def test_parts_fit_an_sms_and_make_the_payload_again(
    payload: bytes, reference: int, addressing: Addressing, ports: Ports | None
) -> None:
    joined = b""
    for number, part in enumerate(split(payload, reference=reference, ports=ports), 1):
        sent = submit_sm(part, source=OURS, destination=DEVICE, addressing=addressing)
        [pdu] = decode_all(encode(Pdu(sent, 1)))
        assert isinstance(pdu.body, SubmitSm)
        assert len(pdu.body.short_message) <= 140
        assert pdu.body.data_coding == 4
        has_header = addressing is Addressing.UDH and bool(part.ports or part.concat)
        assert bool(pdu.body.esm_class & UDHI) == has_header
        read = part_of(pdu.body)
        assert read == part
        assert read.concat is None or read.concat.number == number
        joined += read.payload
    assert joined == payload


@pytest.mark.parametrize(
    ("length", "reference", "parts"),
    [(133, 1, 1), (134, 1, 2), (256, 1, 2), (257, 1, 3), (254, 300, 2), (255, 300, 3), (0, 1, 1)],
)
def test_how_many_sms_a_payload_takes(length: int, reference: int, parts: int) -> None:
    """133 bytes beside the ports, 128 beside a number as well, 127 where the reference has 16 bits."""
    assert len(split(bytes(length), reference=reference)) == parts


def test_one_sms_without_ports_has_no_header() -> None:
    [part] = split(bytes(140), ports=None)
    assert submit_sm(part, source=OURS, destination=DEVICE).short_message == bytes(140)


def test_a_message_on_the_wire() -> None:
    """Execute /1/0/8, confirmable: the header, and CoAP behind it."""
    coap = bytes.fromhex("4402000101020304b13101300138")
    sent = submit_sm(
        split(coap)[0], source=OURS, destination=DEVICE, wants_receipt=True, validity_seconds=3600
    )
    assert sent.short_message.hex() == "06050416331633" + coap.hex()
    assert (sent.esm_class, sent.data_coding, sent.registered_delivery) == (0x40, 4, 1)
    assert sent.validity_period == "000000010000000R"
    assert (sent.source.ton, sent.source.digits) == (3, "2772")
    assert (sent.destination.ton, sent.destination.npi, sent.destination.digits) == (1, 1, "491711234567")


@pytest.mark.parametrize("reference", [1, 300])
def test_the_largest_message_and_one_byte_more(reference: int) -> None:
    largest = 255 * (128 if reference < 256 else 127)
    assert len(split(bytes(largest), reference=reference)) == 255
    assert largest >= MAX_PAYLOAD
    with pytest.raises(TooLong):
        split(bytes(largest + 1), reference=reference)


# -- in --------------------------------------------------------------------------------------------------------


# SMPP 3.4 5.2.19 below 0x10; 3GPP TS 23.038 section 4 above: 00x1 01cc, the same for automatic deletion, 1111 x1cc.
BINARY_CODINGS = {0x02, 0x04, *range(0x14, 0x18), *range(0x24, 0x28), *range(0x34, 0x38)} | {
    *(first + low for first in (0x40, 0x50, 0x60, 0x70) for low in range(4, 8)),
    *range(0xF4, 0xF8),
    *range(0xFC, 0x100),
}


@pytest.mark.parametrize("data_coding", range(256))
def test_of_all_data_codings_those_of_8_bit_data_are_taken(data_coding: int) -> None:
    body = DeliverSm(
        esm_class=UDHI,
        data_coding=data_coding,
        short_message=bytes.fromhex("0605041633163340021234b2726411"),
    )
    if data_coding in BINARY_CODINGS:
        assert part_of(body) == Part(bytes.fromhex("40021234b2726411"), COAP)
    else:
        with pytest.raises(NotBinary):
            part_of(body)


def test_data_sm_and_message_payload_carry_the_same() -> None:
    header = bytes.fromhex("06050416331633")
    told = {Tag.MESSAGE_PAYLOAD: header + b"coap"}
    expected = Part(b"coap", COAP)
    assert part_of(DataSm(esm_class=UDHI, data_coding=4, parameters=told)) == expected
    assert part_of(DeliverSm(esm_class=UDHI, data_coding=4, parameters=told)) == expected


def test_a_message_has_its_user_data_in_one_place() -> None:
    with pytest.raises(Malformed):
        part_of(DeliverSm(short_message=b"a", data_coding=4, parameters={Tag.MESSAGE_PAYLOAD: b"b"}))


@pytest.mark.parametrize("beside", [b"", b"a"])
def test_a_message_payload_that_says_nothing_more_is_left_aside(beside: bytes) -> None:
    """SMPP 3.4 5.3.2.32; smppgui#6."""
    body = DeliverSm(short_message=b"a", data_coding=4, parameters={Tag.MESSAGE_PAYLOAD: beside})
    assert part_of(body) == Part(b"a")


def test_the_header_wins_over_the_parameters() -> None:
    told = {Tag.DESTINATION_PORT: b"\x00\x07", Tag.SOURCE_PORT: b"\x00\x08"}
    body = DeliverSm(
        short_message=bytes.fromhex("06050416331633"), esm_class=UDHI, data_coding=4, parameters=told
    )
    assert part_of(body).ports == COAP
    assert part_of(DeliverSm(data_coding=4, parameters=told)).ports == Ports(7, 8)


@pytest.mark.parametrize(
    ("told", "concat"),
    [
        ({Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2"}, None),
        (
            {Tag.SAR_MSG_REF_NUM: b"\0\0", Tag.SAR_TOTAL_SEGMENTS: b"\0", Tag.SAR_SEGMENT_SEQNUM: b"\0"},
            None,
        ),
        (
            {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: b"\3"},
            None,
        ),
        (
            {Tag.SAR_MSG_REF_NUM: b"\1\2", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: b"\1"},
            Concat(258, 2, 1),
        ),
    ],
)
def test_numbering_in_parameters_is_all_or_nothing(told: dict[int, bytes], concat: Concat | None) -> None:
    assert part_of(DeliverSm(data_coding=4, parameters=told)).concat == concat


@pytest.mark.parametrize(
    "told",
    [
        {Tag.SOURCE_PORT: b"\1"},
        {Tag.SAR_TOTAL_SEGMENTS: b"\1\2"},
    ],
)
def test_parameters_that_cannot_be_are_refused(told: dict[int, bytes]) -> None:
    with pytest.raises(Malformed):
        part_of(DeliverSm(data_coding=4, parameters=told))


# -- together --------------------------------------------------------------------------------------------------


@given(st.binary(min_size=134, max_size=2000), references, st.integers(), st.integers(0, 10))
def test_any_order_and_any_duplicates_make_one_message(
    payload: bytes, reference: int, seed: int, duplicates: int
) -> None:
    parts = list(enumerate(split(payload, reference=reference)))
    dice = random.Random(seed)
    told = parts + [dice.choice(parts) for _ in range(duplicates)]
    dice.shuffle(told)
    gathered: Reassembly[int] = Reassembly()
    found = []
    handed_back: list[int] = []
    for number, (_, part) in enumerate(told):
        whole = gathered.add("+49171", part, number, 0.0)
        found += [whole] if whole is not None else []
        handed_back += gathered.spent()
    assert [whole.payload for whole in found] == [payload]
    assert sorted([*found[0].handles, *handed_back]) == list(range(len(told)))
    assert gathered.waiting == 0


def test_a_message_of_one_part_needs_no_other() -> None:
    gathered: Reassembly[str] = Reassembly()
    whole = gathered.add("a", Part(b"x", COAP), "row", 0.0)
    assert whole is not None
    assert (whole.payload, whole.ports, whole.handles) == (b"x", COAP, ("row",))


def part(reference: int, total: int, number: int, payload: bytes = b"x") -> Part:
    return Part(payload, COAP, Concat(reference, total, number))


@pytest.mark.parametrize(
    "newer", [part(1, 3, 1), part(1, 2, 1, b"other")], ids=["another total", "another content"]
)
def test_a_reference_that_is_used_again_begins_a_new_message(newer: Part) -> None:
    gathered: Reassembly[str] = Reassembly()
    gathered.add("a", part(1, 2, 1), "old", 0.0)
    assert gathered.add("a", newer, "new", 1.0) is None
    assert gathered.spent() == ["old"]
    assert gathered.spent() == []
    assert gathered.waiting == 1


def test_after_a_whole_message_its_reference_may_be_used_again() -> None:
    gathered: Reassembly[str] = Reassembly()
    gathered.add("a", part(1, 2, 1, b"1"), "r1", 0.0)
    assert gathered.add("a", part(1, 2, 2, b"2"), "r2", 0.0) is not None
    assert gathered.add("a", part(1, 2, 2, b"2"), "again", 0.0) is None
    assert gathered.spent() == ["again"]
    assert gathered.add("a", part(1, 2, 1, b"3"), "r3", 0.0) is None
    whole = gathered.add("a", part(1, 2, 2, b"4"), "r4", 0.0)
    assert whole is not None
    assert (whole.payload, whole.handles) == (b"34", ("r3", "r4"))


def test_senders_do_not_mix() -> None:
    gathered: Reassembly[str] = Reassembly()
    gathered.add("a", part(1, 2, 1, b"a"), "a1", 0.0)
    assert gathered.add("b", part(1, 2, 2, b"b"), "b2", 0.0) is None
    whole = gathered.add("a", part(1, 2, 2, b"A"), "a2", 0.0)
    assert whole is not None
    assert whole.payload == b"aA"


def test_what_is_never_completed_expires() -> None:
    gathered: Reassembly[str] = Reassembly(expire_seconds=60)
    gathered.add("a", part(1, 2, 1), "a1", 0.0)
    gathered.expire(59.9)
    assert gathered.spent() == []
    gathered.expire(60.0)
    assert gathered.spent() == ["a1"]
    assert gathered.add("a", part(1, 2, 2), "a2", 61.0) is None


def test_what_is_held_is_bounded_for_each_sender_and_in_all() -> None:
    gathered: Reassembly[int] = Reassembly(max_messages=6, max_per_sender=2)
    for reference in range(5):
        gathered.add("greedy", part(reference, 2, 1), reference, float(reference))
    assert gathered.waiting == 2
    assert gathered.spent() == [0, 1, 2]
    for number in range(8):
        gathered.add(f"+49{number}", part(1, 2, 1), 100 + number, 10.0)
    assert gathered.waiting == 6
    assert gathered.spent() == [3, 4, 100, 101]

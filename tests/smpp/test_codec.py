"""Round trips, and what no bytes may do: whatever arrives, the codec raises `Malformed` or reads it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import (
    Address,
    DataSm,
    DeliverSm,
    Framer,
    Malformed,
    NotBinary,
    Pdu,
    Status,
    SubmitSm,
    TooLong,
    decode,
    decode_all,
    encode,
    is_receipt,
    part_of,
    receipts,
)
from smpp.framing import MAX_PDU
from smpp.pdus import Bind, BindResp, SubmitSmResp
from tests.smpp.making import bodies, pdus


@given(pdus)
def test_what_is_written_is_read_again(pdu: Pdu) -> None:
    assert decode_all(encode(pdu)) == [pdu]


@given(st.lists(pdus, max_size=4), st.data())
def test_where_the_stream_is_cut_makes_no_difference(sent: list[Pdu], data: st.DataObject) -> None:
    octets = b"".join(map(encode, sent))
    framer, found = Framer(), []
    while octets:
        count = data.draw(st.integers(1, len(octets)))
        framer.feed(octets[:count])
        octets = octets[count:]
        while (frame := framer.take()) is not None:
            found.append(decode(frame))
    assert found == sent
    assert framer.buffered == 0


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_malformed(octets: bytes) -> None:
    with contextlib.suppress(Malformed):
        decode_all(octets)


@given(pdus, st.data())
def test_no_damage_does_more_than_be_malformed(pdu: Pdu, data: st.DataObject) -> None:
    octets = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(4, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(16, len(octets)))
    octets = octets[:cut]
    octets[:4] = len(octets).to_bytes(4, "big")
    with contextlib.suppress(Malformed):
        [read] = decode_all(bytes(octets))
        if isinstance(read.body, SubmitSm | DeliverSm | DataSm):
            is_receipt(read.body)
            receipts.read(read.body)
            with contextlib.suppress(NotBinary):
                part_of(read.body)


@given(bodies, st.integers(1, 0xFF))
def test_a_refusal_has_no_body(body: object, status: int) -> None:
    octets = encode(Pdu(body, 1, status))  # type: ignore[arg-type]
    if int.from_bytes(octets[4:8], "big") >> 31:
        assert len(octets) == 16


@pytest.mark.parametrize("length", [0, 4, 15, MAX_PDU + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_loses_the_stream_for_good(length: int) -> None:
    framer = Framer()
    framer.feed(length.to_bytes(4, "big") + bytes(12))
    for _ in range(2):
        with pytest.raises(Malformed) as error:
            framer.take()
        assert error.value.status == Status.INVCMDLEN
    framer.feed(bytes(1000))
    assert framer.buffered == 0


def test_a_long_pdu_may_be_forbidden() -> None:
    framer = Framer(limit=64)
    framer.feed(encode(Pdu(DeliverSm(short_message=bytes(60)), 1)))
    with pytest.raises(Malformed):
        framer.take()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\0" + b"\1\1" + b"1" * 30, Status.INVPARLEN),  # no NUL within 21 bytes
        (bytes(8), Status.INVMSGLEN),  # ends in the middle
        (bytes(16) + b"\xff" + b"short", Status.INVMSGLEN),  # sm_length beyond the end
        (bytes(17) + b"\x04\x24\x00\xff" + b"cut", Status.INVOPTPARSTREAM),
        (bytes(17) + b"\x04\x24\x00\x01a\x01", Status.INVOPTPARSTREAM),
        (bytes(17) + b"\x00\x01\x00\x00" * 65, Status.INVOPTPARSTREAM),
    ],
)
def test_a_broken_message_is_refused_for_a_reason(body: bytes, status: int) -> None:
    octets = (16 + len(body)).to_bytes(4, "big") + bytes.fromhex("000000040000000000000001") + body
    with pytest.raises(Malformed) as error:
        decode_all(octets)
    assert error.value.status == status


@pytest.mark.parametrize(
    "body",
    [
        Bind("a" * 16),
        Bind("a\0b"),
        Bind("portal", "☃"),
        Bind("portal", address_range="1" * 41),
        BindResp("x" * 16),
        SubmitSm(short_message=bytes(255)),
        SubmitSm(source=Address(1, 1, "1" * 21)),
        SubmitSm(esm_class=256),
        SubmitSm(registered_delivery=-1),
        SubmitSm(parameters={0x0424: bytes(65536)}),
        SubmitSmResp("x" * 65),
    ],
)
def test_what_does_not_fit_its_field_is_never_sent(body: object) -> None:
    with pytest.raises(TooLong):
        encode(Pdu(body, 1))  # type: ignore[arg-type]


def test_a_password_is_in_no_repr() -> None:
    assert "secret" not in repr(replace(Bind("portal"), password="secret"))

"""The bytes in docs/non-ip.md are what the room writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smpp import (
    COAP,
    Address,
    Addressing,
    Bind,
    Concat,
    DeliverSm,
    Pdu,
    SubmitSm,
    decode_all,
    deliver_sm,
    encode,
    parameters,
    part_of,
    split,
    submit_sm,
)
from smpp.pdus import DeliverSmResp, SubmitSmResp
from smpp.udh import Header
from smpp.udh import encode as encode_header

PAGE = Path(__file__).resolve().parents[2] / "docs" / "non-ip.md"
PORTAL, DEVICE = Address.parse("+491700000001"), Address.parse("+491711234567")
TRIGGER = bytes.fromhex("4402123401020304b13101300138")
CHANGED = bytes.fromhex("6444123401020304")


def blocks(kind: str) -> list[bytes]:
    found = re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [bytes.fromhex("".join(line.partition("|")[0] for line in block.splitlines())) for block in found]


def test_the_pdus_are_ours() -> None:
    command = submit_sm(
        split(TRIGGER)[0], source=PORTAL, destination=DEVICE, wants_receipt=True, validity_seconds=3600
    )
    answer = deliver_sm(split(CHANGED)[0], source=DEVICE, destination=PORTAL)
    expected = [
        Pdu(Bind("portal", "secret", addr_ton=1, addr_npi=1, address_range="491700000001"), 1),
        Pdu(command, 2),
        Pdu(SubmitSmResp("a001"), 2),
        Pdu(answer, 1),
        Pdu(DeliverSmResp(), 1),
    ]
    assert [decode_all(block) for block in blocks("pdu")] == [[pdu] for pdu in expected]
    assert [encode(pdu) for pdu in expected] == blocks("pdu")


@pytest.mark.parametrize(("index", "payload"), [(1, TRIGGER), (3, CHANGED)])
def test_the_messages_carry_coap(index: int, payload: bytes) -> None:
    [pdu] = decode_all(blocks("pdu")[index])
    assert isinstance(pdu.body, SubmitSm | DeliverSm)
    assert part_of(pdu.body).payload == payload


def test_the_headers_are_ours() -> None:
    assert blocks("header") == [encode_header(Header(COAP, Concat(each, 3, 1))) for each in (7, 300)]


def test_the_parameters_are_ours() -> None:
    part = split(bytes(200), reference=7)[0]
    sent = submit_sm(part, source=PORTAL, destination=DEVICE, addressing=Addressing.TLV)
    assert blocks("parameters") == [parameters.encode(sent.parameters)]
    assert sent.esm_class == 0

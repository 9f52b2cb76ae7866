"""Delivery receipts, as vendors write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import Address, DeliverSm, MessageState, Receipt, Spelling, Tag, is_receipt, receipts

PHONE = Address.parse("+491711234567")


def told(text: str, **parameters: bytes) -> DeliverSm:
    named = {Tag[name.upper()]: value for name, value in parameters.items()}
    return DeliverSm(PHONE, short_message=text.encode(), esm_class=0x04, parameters=named)


@pytest.mark.parametrize(
    ("text", "message_id", "state", "error"),
    [
        # bulatnig/smpp, SmscDeliveryReceiptTest
        (
            "id:c449ab9744f47b6af1879e49e75e4f40 sub:001 dlvrd:0 submit date:0610191018 done date:0610191018 "
            "stat:ACCEPTD err:0 text:This is an Acti",
            "c449ab9744f47b6af1879e49e75e4f40",
            MessageState.ACCEPTED,
            "0",
        ),
        (
            "id:bd778cd76ae9e79da2ddc8188c68f8c1 sub:001 dlvrd:0 submit date:0610191533 done date:0610191539 "
            "stat:UNDELIV err:1 text:This is an Acti",
            "bd778cd76ae9e79da2ddc8188c68f8c1",
            MessageState.UNDELIVERABLE,
            "1",
        ),
        # cloudhopper-smpp, the text of a receipt whose parameters are broken
        (
            "id:0000003005 sub:001 dlvrd:001 submit date:1001181431 done date:1001181431 stat:DELIVRD err:000 te",
            "0000003005",
            MessageState.DELIVERED,
            "000",
        ),
        ("ID: 42 STAT: expired Err: 1F", "42", MessageState.EXPIRED, "1F"),
        ("id:42", "42", MessageState.UNKNOWN, ""),
        ("id:42 stat:SKIPPED", "42", MessageState.UNKNOWN, ""),
        # jsmpp#62, php-smpp#70, jasmin#70: words that nobody shortened
        ("id:99 stat:DELIVERED err:011", "99", MessageState.DELIVERED, "011"),
        ("id:99 stat:UNDELIVERABLE err:011", "99", MessageState.UNDELIVERABLE, "011"),
        ("id:99 stat:undelivered", "99", MessageState.UNDELIVERABLE, ""),
        ("id:99 stat:REJECTED err:011", "99", MessageState.REJECTED, "011"),
        ("id:99 stat:ACCEPTED", "99", MessageState.ACCEPTED, ""),
        ("id:99 stat:FAILED", "99", MessageState.UNDELIVERABLE, ""),
        ("id:99 stat:DELI", "99", MessageState.UNKNOWN, ""),
    ],
)
def test_is_read_from_text(text: str, message_id: str, state: MessageState, error: str) -> None:
    body = told(text)
    assert is_receipt(body)
    assert receipts.read(body) == Receipt(message_id, state, error, PHONE)


def test_parameters_say_it_better_than_text() -> None:
    body = told(
        "id:1 stat:DELIVRD err:000",
        receipted_message_id=b"abc\0",
        message_state=b"\x05",
        network_error_code=b"\x03\x00\x21",
    )
    assert receipts.read(body) == Receipt("abc", MessageState.UNDELIVERABLE, "33", PHONE)


def test_a_state_that_nobody_knows_leaves_it_to_the_text() -> None:
    body = told("id:1 stat:DELIVRD", message_state=b"\x63", network_error_code=b"\x03")
    assert receipts.read(body) == Receipt("1", MessageState.DELIVERED, "", PHONE)


def test_a_state_that_is_not_known_is_taken_from_the_text() -> None:
    body = told("id:1 stat:DELIVRD", message_state=b"\x07")
    assert receipts.read(body) == Receipt("1", MessageState.DELIVERED, "", PHONE)


@pytest.mark.parametrize("state", list(MessageState))
@pytest.mark.parametrize(("alphabet", "data_coding"), [("utf-16-be", 8), ("utf-16-be", 0), ("utf-16-le", 8)])
def test_ucs2_is_read_whatever_the_data_coding_says(
    state: MessageState, alphabet: str, data_coding: int
) -> None:
    text = f"id:a29f684555564713 sub:001 dlvrd:001 stat:{state.name} err:000 text:Ж"
    body = DeliverSm(PHONE, short_message=text.encode(alphabet), esm_class=4, data_coding=data_coding)
    assert receipts.read(body) == Receipt("a29f684555564713", state, "000", PHONE)


@pytest.mark.parametrize("text", ["", "hello", "stat:DELIVRD", "id:", "id:" + " " * 50])
def test_a_receipt_for_nothing(text: str) -> None:
    assert receipts.read(told(text)) is None


@pytest.mark.parametrize("esm_class", [0x00, 0x40, 0x08, 0x10, 0x18, 0x20])
def test_a_message_of_a_device_is_no_receipt(esm_class: int) -> None:
    assert not is_receipt(DeliverSm(esm_class=esm_class, short_message=b"id:1 stat:DELIVRD"))


@given(st.binary(max_size=254), st.dictionaries(st.sampled_from(list(Tag)), st.binary(max_size=70)))
def test_no_bytes_break_it(octets: bytes, parameters: dict[int, bytes]) -> None:
    found = receipts.read(DeliverSm(short_message=octets, esm_class=4, parameters=parameters))
    assert found is None or found.message_id
    if found is not None:
        assert receipts.responses(found.message_id)[Spelling.SAME] == receipts.canonical(found.message_id)


@given(st.integers(0, 2**60))
def test_hexadecimal_and_decimal_spell_the_same_id(number: int) -> None:
    assert receipts.responses(str(number))[Spelling.DECIMAL] == f"{number:x}"
    assert receipts.responses(f"{number:x}")[Spelling.HEXADECIMAL] == str(number)
    assert receipts.responses(f"{number:010X}")[Spelling.SAME] == f"{number:x}"


def test_each_spelling_is_a_message_of_its_own() -> None:
    assert receipts.responses("10") == {
        Spelling.SAME: "10",
        Spelling.DECIMAL: "a",
        Spelling.HEXADECIMAL: "16",
    }
    assert receipts.responses("Q-7") == {Spelling.SAME: "Q-7"}


@pytest.mark.parametrize("state", list(MessageState))
def test_what_our_smsc_writes_is_read(state: MessageState) -> None:
    ours = Address.parse("2772")
    body = receipts.write(Receipt("0a1b", state), source=PHONE, destination=ours, at="2611230231")
    read = receipts.read(body)
    assert read is not None
    assert (read.message_id, read.state, read.source) == ("0a1b", state, PHONE)
    plain = DeliverSm(PHONE, ours, short_message=body.short_message, esm_class=4)
    assert receipts.read(plain) == read
    assert state.is_final == (
        state not in (MessageState.ENROUTE, MessageState.ACCEPTED, MessageState.UNKNOWN)
    )


@pytest.mark.parametrize(
    "text", ["id:9,stat:DELIVRD", "id:9;stat:DELIVRD", "id:9\0stat:DELIVRD\0", 'id:"9" stat:"DELIVRD"']
)
def test_whatever_stands_between_fields_is_no_part_of_an_id(text):
    """A zero byte in an id is one that PostgreSQL would not look for."""
    receipt = receipts.read(told(text))
    assert (receipt.message_id, receipt.state) == ("9", MessageState.DELIVERED)

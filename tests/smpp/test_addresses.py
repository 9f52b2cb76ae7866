"""Addresses: what an operator writes, what an SMSC sends, and whom a message is really from."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import Address, BadAddress, Ton


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("+491511234567", Address(1, 1, "491511234567")),
        ("+49 (151) 123-4567", Address(1, 1, "491511234567")),
        ("2772", Address(3, 0, "2772")),
        ("491511234567", Address(1, 1, "491511234567")),
        ("01511234567", Address(3, 0, "01511234567")),
        ("Northwind", Address(5, 0, "Northwind")),
        ("4 meters", Address(5, 0, "4 meters")),
    ],
)
def test_is_read_from_what_a_person_writes(text: str, address: Address) -> None:
    assert Address.parse(text) == address


@pytest.mark.parametrize(
    "text", ["", "+", "+49", "+1234567890123456", "+49x", "a name that is long", "Zähler", "a\nb"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadAddress):
        Address.parse(text)


@pytest.mark.parametrize(
    ("ton", "digits", "msisdn"),
    [
        (Ton.INTERNATIONAL, "491511234567", "+491511234567"),
        (Ton.INTERNATIONAL, "+491511234567", "+491511234567"),
        (Ton.UNKNOWN, "491511234567", "+491511234567"),
        (Ton.UNKNOWN, "01511234567", None),  # with the trunk prefix of some country
        (Ton.UNKNOWN, "00491511234567", None),
        (Ton.UNKNOWN, "2772", None),
        (Ton.NATIONAL, "1511234567", None),
        (Ton.NETWORK_SPECIFIC, "491511234567", None),
        (Ton.ALPHANUMERIC, "491511234567", None),  # a name that looks like a number is a name
        (Ton.ALPHANUMERIC, "+4915112345", None),
        (Ton.INTERNATIONAL, "4915112345678901", None),
        (Ton.INTERNATIONAL, "49151\u0661\u0662\u0663\u0664", None),  # digits, but of another script
        (Ton.INTERNATIONAL, "", None),
    ],
)
def test_whose_number_it_is(ton: int, digits: str, msisdn: str | None) -> None:
    assert Address(ton, 1, digits).msisdn == msisdn


@given(st.integers(10**6, 10**15 - 1))
def test_a_number_comes_back_as_it_went(number: int) -> None:
    assert Address.parse(f"+{number}").msisdn == f"+{number}"


@given(st.integers(0, 255), st.integers(0, 255), st.text(max_size=30))
def test_nothing_but_a_number_is_one(ton: int, npi: int, digits: str) -> None:
    msisdn = Address(ton, npi, digits).msisdn
    assert msisdn is None or (msisdn[0] == "+" and msisdn[1:].isascii() and msisdn[1:].isdigit())
    with contextlib.suppress(BadAddress):
        Address.parse(digits)


def test_is_shown_as_people_write_it() -> None:
    assert str(Address.parse("+491511234567")) == "+491511234567"
    assert str(Address.parse("2772")) == "2772"
    assert str(Address.parse("Northwind")) == "Northwind"

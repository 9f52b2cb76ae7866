"""The user data header: vectors of others, round trips, and what is no header."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp import COAP, Concat, Malformed, Ports, TooLong
from smpp.udh import NO_HEADER, Header, decode, encode

ports = st.builds(Ports, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
concats = st.integers(1, 255).flatmap(
    lambda total: st.builds(Concat, st.integers(0, 0xFFFF), st.just(total), st.integers(1, total))
)
headers = st.builds(Header, st.none() | ports, st.none() | concats)


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        # 3GPP TS 23.040 9.2.3.24.4 with the port of CoAP, as draft-becker-core-coap-sms-gprs section 4.3 asks for
        ("06050416331633", Header(COAP)),
        # netpbm, converter/pbm/pbmtonokia.c: a picture of Smart Messaging
        ("060504158a0000", Header(Ports(0x158A, 0))),
        # python-gammu, test_special_decoders_reject_malformed_data: the same as part 1 of 1
        ("0b0504158a00000003ce0101", Header(Ports(0x158A, 0), Concat(0xCE, 1, 1))),
        # 9.2.3.24.8: a reference of 16 bits
        ("060804012c0201", Header(None, Concat(300, 2, 1))),
    ],
)
def test_is_read_and_written_as_others_do(octets: str, header: Header) -> None:
    assert decode(bytes.fromhex(octets) + b"payload") == (header, b"payload")
    assert encode(header) == bytes.fromhex(octets)


@given(headers, st.binary(max_size=140))
def test_what_is_written_is_read_again(header: Header, payload: bytes) -> None:
    written = encode(header)
    assert (decode(written + payload) if written else (NO_HEADER, payload)) == (header, payload)


@given(st.binary(max_size=140))
def test_no_bytes_do_more_than_be_malformed(octets: bytes) -> None:
    with contextlib.suppress(Malformed):
        header, payload = decode(octets)
        assert len(payload) < len(octets)
        if header.concat is not None:
            assert 1 <= header.concat.number <= header.concat.total


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        ("0404021633", Header(Ports(0x16, 0x33))),  # 8-bit ports, 9.2.3.24.3
        ("0d7002ffff240101050416331633", Header(COAP)),  # unknown elements are skipped
        ("0e050400000000050416331633" + "7000", Header(COAP)),  # of two the last counts
        ("00", NO_HEADER),
    ],
)
def test_elements_of_all_kinds(octets: str, header: Header) -> None:
    assert decode(bytes.fromhex(octets) + b"x") == (header, b"x")


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "06",
        "0605041633",  # longer than the user data
        "0505041633163300",  # an element beyond the header
        "0100",  # an element without a length
        "0400020102",  # a concatenation of 2 bytes
        "06050316331633",  # ports of 3 bytes
        "0808050001020300" + "00",  # 16-bit concatenation of 5 bytes
    ],
)
def test_what_is_no_header_is_refused(octets: str) -> None:
    with pytest.raises(Malformed):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize("concat", ["0003070203", "0003070200", "0003070001", "0003000000", "080401020000"])
def test_a_numbering_that_cannot_be_is_ignored_as_a_whole(concat: str) -> None:
    """3GPP TS 23.040 9.2.3.24.1: part 3 of 2, part 0, of 0 parts, all zero (onomondo-uicc#174)."""
    ports = "050416331633"
    size = (len(ports) + len(concat)) // 2
    assert decode(bytes.fromhex(f"{size:02x}{ports}{concat}") + b"x") == (Header(COAP), b"x")
    assert decode(bytes.fromhex(f"{size:02x}{concat}{ports}") + b"x") == (Header(COAP), b"x")


@pytest.mark.parametrize(
    "header",
    [
        Header(Ports(65536, 1)),
        Header(None, Concat(1, 2, 3)),
        Header(None, Concat(1, 256, 1)),
        Header(None, Concat(1, 1, 0)),
        Header(None, Concat(65536, 1, 1)),
    ],
)
def test_what_cannot_be_written_is_not(header: Header) -> None:
    with pytest.raises(TooLong):
        encode(header)

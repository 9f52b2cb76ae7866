"""What is written and read here is what an independent codec writes and reads, whatever comes."""

from __future__ import annotations

import contextlib

import pytest
from aiocoap import Message
from aiocoap import error as aiocoap_error
from aiocoap.numbers.codes import Code
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coap import NON, Block, Malformed, Request, Response, read_response
from coap.options import uint
from tests.fakes import foreign

FUZZ = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = st.tuples(st.sampled_from([8, 11, 15]), st.text(max_size=80).map(lambda text: text.encode()))
BYTES = st.tuples(st.sampled_from([4, 6, 12, 14, 17, 23, 27, 60, 300, 2048]), st.binary(max_size=10))
OPTIONS = st.lists(TEXT | BYTES, max_size=8, unique_by=lambda option: option[0]).map(
    lambda options: tuple(sorted(options, key=lambda option: option[0]))
)


@FUZZ
@given(OPTIONS, st.binary(max_size=100), st.binary(max_size=8), st.integers(0, 0xFFFF))
def test_a_request_as_an_independent_codec_reads_it(options, payload, token, mid):
    data = Request(2, options, payload).encode(mid, token)
    message = Message.decode(data, _Remote())
    assert (message.mid, message.token, message.payload) == (mid, token, payload)
    assert int(message.code) == 2
    read = [(int(option.number), option.encode()) for option in message.opt.option_list()]
    assert [number for number, _ in read] == [number for number, _ in options]


class _Remote:
    """aiocoap asks for it in passing."""

    is_multicast = False


def test_every_option_that_is_read():
    message = foreign.message(NON, 7, b"ab", code=Code.CONTENT, payload=b"hello")
    message.opt.observe = 0xFFFFFF
    message.opt.content_format = 11542
    message.opt.location_path = ("rd", "ä")
    message.opt.etag = b"x" * 8
    message.opt.max_age = 70_000
    message.opt.block2 = (3, True, 2)
    message.opt.block1 = (9, False, 6)
    assert read_response(message.encode()) == Response(
        0x45,
        b"hello",
        11542,
        ("rd", "ä"),
        0xFFFFFF,
        70_000,
        b"x" * 8,
        Block(9, False, 6),
        Block(3, True, 2),
    )


def response(number: int, value: bytes) -> bytes:
    return Request(0x45, ((number, value),), b"x").encode(1, b"t")


@pytest.mark.parametrize(("number", "width"), [(6, 5), (12, 3), (12, 1900), (14, 5), (4, 9)])
def test_what_is_too_wide_says_nothing(number, width):
    """RFC 7252 section 5.4.3: as an option that is not recognised, so the elective ones are ignored."""
    assert read_response(response(number, b"\xff" * width)) == Response(0x45, b"x")


@pytest.mark.parametrize("number", [23, 27, 9, 65, 2049])
def test_critical_options_are_understood_or_refuse_the_message(number):
    with pytest.raises(Malformed):
        read_response(response(number, b"\xff" * 4))


def test_an_option_that_comes_again_counts_once():
    """RFC 7252 section 5.4.5."""
    twice = Request(0x45, ((12, b"\x2a"), (12, b"\x70"), (14, b"\x05"), (14, b"")), b"x").encode(1, b"t")
    said = read_response(twice)
    assert (said.content_format, said.max_age) == (42, 5)
    with pytest.raises(Malformed):
        read_response(Request(0x45, ((23, b"\x08"), (23, b"\x18")), b"x").encode(1, b"t"))


def test_an_observe_of_four_bytes_is_read():
    assert read_response(response(6, b"\x01\x00\x00\x02")).observe == 0x01000002


@FUZZ
@given(st.binary(max_size=80))
def test_nothing_but_malformed_ever_comes_of_rubbish(rest):
    with contextlib.suppress(Malformed):
        read_response(b"\x40\x45\x00\x01" + rest)


@FUZZ
@given(OPTIONS, st.binary(max_size=60), st.data())
def test_a_response_is_read_as_an_independent_codec_reads_it(options, payload, data):
    """Also where it is cut off or changed anywhere: what one of the two reads, the other one reads alike."""
    raw = bytearray(Request(0x45, options, payload).encode(1, b"t"))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(5, len(raw)))
        raw = (
            raw[:at]
            if data.draw(st.booleans())
            else raw[: at - 1] + bytes([data.draw(st.integers(0, 255))]) + raw[at:]
        )
    try:
        said = read_response(bytes(raw))
    except Malformed:
        return
    try:
        theirs = Message.decode(bytes(raw), _Remote())
    except (aiocoap_error.Error, ValueError):
        # It keeps Location-Path and others as text; bytes that are none are replaced here.
        return
    options = {int(option.number): option.encode() for option in theirs.opt.option_list()}
    assert said.payload == theirs.payload
    for number, value in ((12, said.content_format), (14, said.max_age)):
        if value is not None:
            assert int.from_bytes(options[number], "big") == value
    if said.observe is not None:
        assert int.from_bytes(options[6], "big") == said.observe
    if said.etag is not None:
        assert said.etag in theirs.opt.etags
    for block, told in ((said.block1, theirs.opt.block1), (said.block2, theirs.opt.block2)):
        if block is not None:
            assert (block.number, block.more, block.exponent) == (
                told.block_number,
                told.more,
                told.size_exponent,
            )


@FUZZ
@given(st.integers(0, 2**20 - 1), st.booleans(), st.integers(0, 7))
def test_blocks(number, more, exponent):
    block = Block(number, more, exponent)
    assert Block.decode(block.encode()) == block


def test_an_unsigned_integer_has_no_leading_zeros():
    assert [uint(value) for value in (0, 1, 255, 256)] == [b"", b"\x01", b"\xff", b"\x01\x00"]


NUMBERS = st.none() | st.integers(0, 0xFFFF)
RESPONSES = st.builds(
    Response,
    st.sampled_from([0x41, 0x44, 0x45, 0x84, 0x8D, 0xA3]),
    st.binary(max_size=40),
    NUMBERS,
    st.lists(st.text(max_size=20), max_size=3).map(tuple),
    st.none() | st.integers(0, 0xFFFFFF),
    st.none() | st.integers(0, 2**32 - 1),
    st.none() | st.binary(min_size=1, max_size=8),
    st.none() | st.builds(Block, st.integers(0, 2**20 - 1), st.booleans(), st.integers(0, 6)),
    st.none() | st.builds(Block, st.integers(0, 2**20 - 1), st.booleans(), st.integers(0, 6)),
    NUMBERS,
)


@FUZZ
@given(RESPONSES, st.integers(0, 3), st.binary(max_size=8), st.integers(0, 0xFFFF))
def test_an_answer_as_we_and_an_independent_codec_read_it(response, kind, token, mid):
    data = response.encode(kind, mid, token)
    assert read_response(data) == response
    theirs = Message.decode(data, _Remote())
    assert (int(theirs.mtype), theirs.mid, theirs.token, int(theirs.code)) == (
        kind,
        mid,
        token,
        response.code,
    )
    assert (theirs.payload, tuple(theirs.opt.location_path)) == (response.payload, response.location)
    assert (theirs.opt.observe, theirs.opt.max_age, theirs.opt.size1) == (
        response.observe,
        response.max_age,
        response.size1,
    )

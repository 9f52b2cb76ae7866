"""Requests and options, differentially against aiocoap's codec: the same is taken, with the same in it.

Where we differ, we do so on purpose, and each difference is one of these:

- aiocoap reads an option number above 65,535, and a payload marker with nothing behind it; RFC 7252 sections 3 and 3.1
  call both a format error.
- aiocoap reads numbers of any width, and takes an option that came twice, or that is critical and unknown, leaving it
  to whoever asks; for us those are options that are not known (RFC 7252 sections 5.4.1, 5.4.3 and 5.4.5).
- aiocoap raises a UnicodeDecodeError of Python for any text that is no UTF-8; ours is 4.02 for a path or query, and of
  no concern in options whose text nobody reads here (Uri-Host, Location-Path in a request).
- More than 64 options are 4.02 here.
"""

from __future__ import annotations

from aiocoap import Message
from aiocoap import error as coap_error
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.options import Options
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coap import CON, Asked, Block, Malformed
from coap.codes import BAD_OPTION, BAD_REQUEST, POST, PROXYING_NOT_SUPPORTED
from coap.options import MAX_OPTIONS, walk, write
from coap.requests import Unacceptable, read_request
from tests.fakes import foreign

FUZZ = settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
HEAD = b"\x40\x02\x12\x34"

KNOWN = [3, 6, 7, 8, 11, 12, 14, 15, 17, 23, 27, 35, 39, 60]
CRITICAL = {3: (1, 255), 7: (0, 2), 11: (0, 255), 15: (0, 255), 17: (0, 2), 23: (0, 3), 27: (0, 3)}
"""RFC 7252 section 5.10 and RFC 7959 section 2.1, written down once more: what a request may have, and how long."""


def encoded(options: list[tuple[int, bytes]], payload: bytes) -> bytes:
    out, last = bytearray(HEAD), 0
    for number, value in sorted(options, key=lambda option: option[0]):
        last = write(out, last, number, value)
    return bytes(out) + (b"\xff" + payload if payload else b"")


numbers = st.sampled_from(KNOWN) | st.integers(0, 70_000)
values = st.binary(max_size=6) | st.text(max_size=8).map(str.encode) | st.integers(0, 300).map(bytes)
options = st.lists(st.tuples(numbers, values), max_size=9).map(
    lambda found: [(number, value) for number, value in found if number <= 65_535 + 269]
)
written = st.builds(encoded, options, st.binary(max_size=9))
mangled = st.builds(
    lambda data, cuts, flips: _mangled(data, cuts, flips),
    written,
    st.integers(0, 400),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
)
bodies = written | mangled | st.binary(max_size=60).map(HEAD.__add__)


def _mangled(data: bytes, cut: int, flips: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for at, value in flips:
        if len(changed) > 4:
            changed[4 + at % (len(changed) - 4)] = value
    return bytes(changed[: max(4, len(changed) - cut % 8)])


def their_options(data: bytes) -> tuple[list[tuple[int, bytes]], bytes] | None:
    """What aiocoap's walk finds, each value as it writes it again; None where it refuses."""
    found = Options()
    try:
        payload = found.decode(data)
    except coap_error.UnparsableMessage:
        return None
    return [(int(option.number), option.encode()) for option in found.option_list()], payload


def as_they_write(number: int, value: bytes) -> bytes:
    """A number loses its leading zeros; text and the rest stay as they are."""
    return OptionNumber(number).create_option(decode=value).encode()


@FUZZ
@given(bodies)
@example(HEAD + b"\xff")
@example(HEAD + b"\xe0\xff\xff\xe0\xff\xff")
@example(HEAD + b"\xf1x")
@example(HEAD + b"\x1fx")
def test_the_walk_takes_what_aiocoap_takes(data):
    try:
        theirs = their_options(data[4:])
    except UnicodeDecodeError:  # before it saw whatever comes behind
        return
    try:
        found, payload = walk(data, 4)
    except Malformed:
        numbers = [number for number, _ in theirs[0]] if theirs else []
        is_empty_marker = theirs is not None and not theirs[1]
        assert theirs is None or max(numbers, default=0) > 65_535 or is_empty_marker
        return
    assert theirs is not None
    read = [(number, as_they_write(number, value)) for number, value in found]
    assert (sorted(read, key=lambda option: option[0]), payload) == theirs


@FUZZ
@given(bodies)
@example(encoded([(11, b"rd"), (9, b"oscore")], b""))
@example(encoded([(12, b"\0\0\0"), (12, b"\x28"), (17, b"\x3c")], b"x"))
@example(encoded([(27, b"\x0f")], b"x"))
@example(encoded([(15, b"x" * 256)], b""))
@example(encoded([(11, b"\xff\xfe")], b""))
def test_a_request_says_what_aiocoap_reads_in_it(data):
    try:
        request = asked_of(data)
    except Malformed:
        return  # the walk's own test
    except Unacceptable as refusal:
        code = refusal.code
    else:
        code = None
    found = walk(data, 4)[0]
    assert why_refused(found, code) == (code is not None)
    if code is not None:
        return
    try:
        message = Message.decode(data)
    except UnicodeDecodeError:
        texts = [value for number, value in found if number in (3, 8, 20, 35, 39)]
        assert any(value.decode(errors="replace").encode() != value for value in texts)
        return
    theirs = message.opt
    assert request.payload == message.payload
    assert (request.path, request.query) == (theirs.uri_path, theirs.uri_query)
    assert request.accept == (None if theirs.accept is None else int(theirs.accept))
    assert request.block1 == (None if theirs.block1 is None else Block(*theirs.block1))
    for number, read, longest in ((12, request.content_format, 2), (6, request.observe, 4)):
        said = [value for one, value in found if one == number]
        first = said[0] if said and len(said[0]) <= longest else None
        assert read == (None if first is None else int.from_bytes(first, "big"))


def asked_of(data: bytes, start: int = 4) -> Asked:
    asked = Asked("peer", POST, True, 1, b"", data)
    read_request(asked, start)
    return asked


def why_refused(found: list[tuple[int, bytes]], code: int | None) -> bool:
    """Whether a request with these options must be refused, and with this code (None asks for any)."""
    reasons = set()
    before = -1
    for number, value in found:
        if number in (35, 39):
            reasons.add(PROXYING_NOT_SUPPORTED)
        elif number in CRITICAL:
            shortest, longest = CRITICAL[number]
            if not shortest <= len(value) <= longest or (number == before and number not in (11, 15)):
                reasons.add(BAD_OPTION)
            elif number in (23, 27) and value[-1:] and value[-1] & 7 == 7:
                reasons.add(BAD_REQUEST)
            elif number in (11, 15) and value.decode(errors="replace").encode() != value:
                reasons.add(BAD_OPTION)
        elif number & 1:
            reasons.add(BAD_OPTION)
        before = number
    if len(found) > MAX_OPTIONS:
        reasons.add(BAD_OPTION)
    return bool(reasons) if code is None else code in reasons


def test_everything_that_a_request_says():
    message = foreign.message(CON, 7, b"tt", code=POST, payload=b"</1/0>")
    message.opt.uri_path = ("rd", "é" * 20)
    message.opt.uri_query = ("ep=x", "lt=60", "y" * 250)
    message.opt.content_format = 40
    message.opt.accept = 112
    message.opt.observe = 0
    message.opt.block1 = (3, True, 5)
    message.opt.block2 = (0, False, 4)
    asked = asked_of(message.encode(), 6)
    assert (asked.path, asked.query) == (message.opt.uri_path, message.opt.uri_query)
    assert (asked.content_format, asked.accept, asked.observe, asked.payload) == (40, 112, 0, b"</1/0>")
    assert (asked.block1, asked.block2) == (Block(3, True, 5), Block(0, False, 4))
    assert asked.block1.size == 512

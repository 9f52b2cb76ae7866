"""Transfers in blocks, both ways (RFC 7959): every size, peers that want smaller ones, and peers that make no sense."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coap import Block, Failed, Reason, Request, Response
from coap.blockwise import CONTINUE, INCOMPLETE, MAX_ANSWER_BYTES, TOO_LARGE, Transfer
from coap.options import BLOCK1, BLOCK2, OBSERVE

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
CONTENT, CHANGED, NOT_FOUND = 0x45, 0x44, 0x84
PUT, FETCH = 3, 5


def block_of(message: Request, option: int = BLOCK1) -> Block | None:
    return next((Block.decode(value) for number, value in message.options if number == option), None)


class Taker:
    """A device that takes requests in blocks of at most `exponent`, said with 2.31 or with 4.13."""

    def __init__(self, exponent: int, *, refuses: bool = False) -> None:
        self.exponent = exponent
        self.refuses = refuses
        self.body = bytearray()
        self.seen: list[tuple[int, bool, int]] = []

    def take(self, message: Request) -> Response:
        block = block_of(message)
        if block is None:
            if self.refuses and len(message.payload) > 1 << (self.exponent + 4):
                return Response(TOO_LARGE, block1=Block(0, True, self.exponent))
            self.body = bytearray(message.payload)
            return Response(CHANGED)
        self.seen.append((block.number, block.more, block.exponent))
        if block.exponent > self.exponent and self.refuses:
            return Response(TOO_LARGE, block1=Block(0, block.more, self.exponent))
        if block.start != len(self.body) and block.number:
            return Response(INCOMPLETE)
        if block.number == 0:
            self.body.clear()
        self.body += message.payload
        said = Block(block.number, block.more, min(block.exponent, self.exponent))
        return Response(CONTINUE if block.more else CHANGED, block1=said)


def carry_out(transfer: Transfer, device) -> Response | Failed:
    message = transfer.first()
    for _ in range(100_000):
        following = transfer.answered(device(message))
        if not isinstance(following, Request):
            return following
        message = following
    raise AssertionError("it never ends")


# -- Block1 ----------------------------------------------------------------------------------------------------
@FUZZ
@given(st.integers(0, 3000), st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_the_device_gets_every_byte_once(size, ours, theirs, refuses):
    payload = bytes(number % 251 for number in range(size))
    device = Taker(theirs, refuses=refuses)
    transfer = Transfer(Request(PUT, ((11, b"5"), (12, b"\x2a")), payload), exponent=ours)
    outcome = carry_out(transfer, device.take)
    assert outcome == Response(CHANGED, block1=outcome.block1)
    assert bytes(device.body) == payload


def test_4_13_with_a_smaller_size_begins_again_with_it():
    """RFC 7959 section 2.9.3 (wakaama#510, californium#395)."""
    device = Taker(3, refuses=True)
    carry_out(Transfer(Request(PUT, (), bytes(3000)), exponent=6), device.take)
    assert device.seen[:4] == [(0, True, 6), (0, True, 3), (1, True, 3), (2, True, 3)]
    assert len(device.body) == 3000


def test_2_31_with_a_smaller_size_goes_on_with_it():
    device = Taker(2)
    carry_out(Transfer(Request(PUT, (), bytes(3000)), exponent=6), device.take)
    assert device.seen[:2] == [(0, True, 6), (16, True, 2)]


def test_4_13_without_a_smaller_size_is_the_answer():
    for block in (None, Block(0, True, 6), Block(0, True, 7)):
        refused = Response(TOO_LARGE, block1=block)
        assert carry_out(Transfer(Request(PUT, (), bytes(3000)), exponent=6), lambda _: refused) == refused  # noqa: B023


def test_4_08_begins_again_and_not_for_ever():
    asked = []

    def forgetful(message: Request) -> Response:
        asked.append(block_of(message).number)
        return Response(INCOMPLETE) if asked[-1] else Response(CONTINUE, block1=Block(0, True, 6))

    assert carry_out(Transfer(Request(PUT, (), bytes(3000)), exponent=6), forgetful).code == INCOMPLETE
    assert asked == [0, 1] * 3


@pytest.mark.parametrize(
    "said",
    [
        Response(CONTINUE),  # overlooked Block1
        Response(CHANGED),  # the first 1,024 bytes were taken for all
        Response(CONTINUE, block1=Block(1, True, 6)),
    ],
)
def test_a_success_that_does_not_answer_the_block_is_no_success(said):
    outcome = carry_out(Transfer(Request(PUT, (), bytes(3000)), exponent=6), lambda _: said)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.UNREADABLE


def test_2_31_is_never_the_end():
    small = Transfer(Request(PUT, (), b"x"), exponent=6)
    assert isinstance(carry_out(small, lambda _: Response(CONTINUE)), Failed)
    large = Transfer(Request(PUT, (), bytes(1500)), exponent=6)
    last = lambda message: Response(CONTINUE, block1=block_of(message))  # noqa: E731
    assert isinstance(carry_out(large, last), Failed)


def test_a_device_that_takes_each_block_by_itself_gets_them_all():
    """RFC 7959 section 2.3: a final code for a block that is not the last one, its M bit 0."""
    taken = []

    def stateless(message: Request) -> Response:
        block = block_of(message)
        taken.append(block.number)
        return Response(CHANGED, block1=Block(block.number, False, block.exponent))

    assert carry_out(Transfer(Request(PUT, (), bytes(3000)), exponent=6), stateless).code == CHANGED
    assert taken == [0, 1, 2]


# -- Block2 ----------------------------------------------------------------------------------------------------
class Teller:
    """A device that answers in blocks; from `shrinks_at` bytes on in smaller ones, as it may."""

    def __init__(
        self, body: bytes, exponent: int, *, shrinks_at: int | None = None, smaller: int = 0
    ) -> None:
        self.body = body
        self.exponent = exponent
        self.shrinks_at = shrinks_at
        self.smaller = smaller
        self.asked: list[Request] = []

    def tell(self, message: Request) -> Response:
        self.asked.append(message)
        wanted = block_of(message, BLOCK2) or Block(0, False, self.exponent)
        exponent = min(wanted.exponent, self.exponent)
        if self.shrinks_at is not None and wanted.start >= self.shrinks_at:
            exponent = min(exponent, self.smaller)
        size = 1 << (exponent + 4)
        more = wanted.start + size < len(self.body)
        return Response(
            CONTENT,
            self.body[wanted.start : wanted.start + size],
            112,
            observe=5 if wanted.number == 0 else None,
            etag=b"1",
            block2=Block(wanted.start // size, more, exponent),
        )


@FUZZ
@given(st.integers(0, 5000), st.integers(0, 6), st.integers(0, 6), st.integers(0, 5000), st.integers(0, 6))
def test_we_get_every_byte_once(size, ours, theirs, shrinks_at, smaller):
    body = bytes(number % 253 for number in range(size))
    device = Teller(body, theirs, shrinks_at=shrinks_at, smaller=smaller)
    outcome = carry_out(Transfer(Request(1, ((OBSERVE, b""), (11, b"3"))), exponent=ours), device.tell)
    assert outcome == Response(CONTENT, body, 112, observe=5, etag=b"1")
    assert all(number != OBSERVE for message in device.asked[1:] for number, _ in message.options)
    assert all(not message.payload for message in device.asked[1:])


def test_a_large_request_with_a_large_answer():
    device, teller = Taker(6), Teller(bytes(3000), 6)

    def both(message: Request) -> Response:
        if block_of(message, BLOCK2) is not None:
            return teller.tell(message)
        said = device.take(message)
        if said.code != CHANGED:
            return said
        told = teller.tell(message)
        return Response(told.code, told.payload, block1=said.block1, block2=told.block2)

    outcome = carry_out(Transfer(Request(FETCH, (), bytes(2000)), exponent=6), both)
    assert (outcome.code, len(outcome.payload), len(device.body)) == (CONTENT, 3000, 2000)


def test_an_answer_that_changes_is_fetched_from_its_beginning():
    bodies = [(b"1", b"a" * 40), (b"2", b"b" * 40)]
    count = 0

    def changes(message: Request) -> Response:
        nonlocal count
        count += 1
        etag, body = bodies[count > 2]
        block = block_of(message, BLOCK2) or Block(0, False, 0)
        return Response(
            CONTENT,
            body[block.start : block.start + 16],
            etag=etag,
            block2=Block(block.number, block.start + 16 < len(body), 0),
        )

    assert carry_out(Transfer(Request(1), exponent=6), changes).payload == b"b" * 40


def test_an_answer_that_changes_always_is_given_up():
    count = 0

    def changes(message: Request) -> Response:
        nonlocal count
        count += 1
        block = block_of(message, BLOCK2) or Block(0, False, 0)
        return Response(CONTENT, bytes(16), etag=bytes([count]), block2=Block(block.number, True, 0))

    outcome = carry_out(Transfer(Request(1), exponent=6), changes)
    assert isinstance(outcome, Failed)
    assert "changed" in outcome.detail


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Response(CONTENT, bytes(16), block2=Block(1, True, 0)), "began with block 1"),
        (Response(CONTENT, bytes(15), block2=Block(0, True, 0)), "of 15 bytes"),
        (Response(CONTENT, b"", block2=Block(0, True, 0)), "of 0 bytes"),
        (Response(CONTENT, bytes(17), block2=Block(0, False, 0)), "of 17 bytes"),
        (Response(CONTENT, bytes(1024), block2=Block(0, True, 7)), "size 7"),
    ],
)
def test_a_first_block_that_makes_no_sense(said, words):
    outcome = carry_out(Transfer(Request(1), exponent=6), lambda _: said)
    assert isinstance(outcome, Failed)
    assert words in outcome.detail


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            Response(CONTENT, bytes(16), block2=Block(2, True, 0)),
            "bytes from 32 on came where those from 16 on",
        ),
        (Response(CONTENT, bytes(16), block2=Block(0, True, 0)), "bytes from 0 on"),
        (Response(CONTENT, bytes(64), block2=Block(1, True, 2)), "bytes from 64 on"),  # a size that grows
        (Response(CONTENT, bytes(16)), "no Block2"),
        (Response(CHANGED, bytes(16), block2=Block(1, True, 0)), "different codes"),
    ],
)
def test_a_later_block_that_makes_no_sense(said, words):
    transfer = Transfer(Request(1), exponent=6)
    first = transfer.answered(Response(CONTENT, bytes(16), block2=Block(0, True, 0)))
    assert block_of(first, BLOCK2) == Block(1, False, 0)
    outcome = transfer.answered(said)
    assert isinstance(outcome, Failed)
    assert words in outcome.detail


def test_an_error_in_the_middle_is_the_answer():
    transfer = Transfer(Request(1), exponent=6)
    transfer.answered(Response(CONTENT, bytes(16), block2=Block(0, True, 0)))
    assert transfer.answered(Response(NOT_FOUND)) == Response(NOT_FOUND)


def test_an_endless_answer_has_an_end():
    def endless(message: Request) -> Response:
        block = block_of(message, BLOCK2) or Block(0, False, 6)
        return Response(CONTENT, bytes(1024), block2=Block(block.number, True, 6))

    outcome = carry_out(Transfer(Request(1), exponent=6), endless)
    assert isinstance(outcome, Failed)
    assert str(MAX_ANSWER_BYTES) in outcome.detail


def test_bert_on_a_reliable_transport():
    """RFC 8323 section 6: several units of 1,024 bytes in a message."""
    body = bytes(range(256)) * 20

    def tell(message: Request) -> Response:
        block = block_of(message, BLOCK2) or Block(0, False, 7)
        return Response(
            CONTENT,
            body[block.start : block.start + 2048],
            block2=Block(block.number, block.start + 2048 < 5120, 7),
        )

    assert carry_out(Transfer(Request(1), exponent=6, takes_bert=True), tell).payload == body


RESPONSES = st.builds(
    Response,
    st.sampled_from([CONTENT, CHANGED, CONTINUE, TOO_LARGE, INCOMPLETE, NOT_FOUND]),
    st.binary(max_size=64),
    st.none(),
    st.just(()),
    st.none(),
    st.none(),
    st.sampled_from([None, b"1", b"2"]),
    st.none() | st.builds(Block, st.integers(0, 3), st.booleans(), st.integers(0, 7)),
    st.none() | st.builds(Block, st.integers(0, 3), st.booleans(), st.integers(0, 7)),
)


@FUZZ
@given(st.integers(0, 100), st.lists(RESPONSES, min_size=1, max_size=30))
def test_whatever_a_device_says_it_goes_on_or_ends(size, said):
    transfer = Transfer(Request(PUT, (), bytes(size)), exponent=1)
    message = transfer.first()
    for response in said:
        assert len(message.payload) <= 32
        following = transfer.answered(response)
        if not isinstance(following, Request):
            assert isinstance(following, Response | Failed)
            return
        message = following

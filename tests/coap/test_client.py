"""Requests in several messages: each has a patience of its own, one chosen token, and the turn of its peer."""

from __future__ import annotations

from coap import ACK, Failed, Progress, Reason, Request, Response, Tuning
from coap.message import empty
from coap.options import BLOCK1, BLOCK2, OBSERVE
from tests.coap.peer import (
    CONTENT,
    ask,
    block,
    client,
    mid_of,
    number,
    outcomes,
    piggybacked,
    run_out,
    sent,
    token_of,
)

PUT = 3


def test_sixty_four_blocks_of_five_seconds_succeed():
    """The patience is of each block: the transfer takes twice as long as an exchange may."""
    asking = client()
    ask(asking, request=Request(PUT, ((11, b"5"),), bytes(64 * 1024)))
    (asked,) = sent(asking)
    now, progress = 0.0, 0
    for index in range(64):
        now += 5.0
        run_out(asking, now - 0.001)
        is_last = index == 63
        said = piggybacked(asked, 0x44 if is_last else 0x5F, b"", block(BLOCK1, index, not is_last, 6))
        assert asking.receive("a", said, now)
        events = asking.events()
        progress += sum(isinstance(event, Progress) for event in events)
        for data in sent(asking):
            asked = data
    assert [event.outcome.code for event in events] == [0x44]
    assert (progress, now) == (63, 320.0)
    assert now > Tuning().patience


def test_a_block_that_is_acknowledged_and_not_answered_ends_the_transfer():
    asking = client()
    ask(asking, request=Request(PUT, (), bytes(3000)))
    (first,) = sent(asking)
    asking.receive("a", piggybacked(first, 0x5F, b"", block(BLOCK1, 0, True, 6)), 1.0)
    (second,) = sent(asking)
    assert mid_of(second) != mid_of(first)
    asking.receive("a", empty(ACK, mid_of(second)), 2.0)
    run_out(asking, 1000.0)
    (outcome,) = outcomes(asking)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.UNANSWERED


def test_the_rest_of_an_answer_is_fetched_under_another_token():
    """RFC 7959 section 3.4: the device observes under the one that was chosen."""
    asking = client()
    ask(asking, token=b"chosen", request=Request(1, ((OBSERVE, b""), (11, b"3"))))
    (first,) = sent(asking)
    assert token_of(first) == b"chosen"
    told = (number(OBSERVE, 3), block(BLOCK2, 0, True, 0))
    asking.receive("a", piggybacked(first, CONTENT, bytes(16), *told), 0.1)
    (second,) = sent(asking)
    assert token_of(second) != b"chosen"
    # A notification under the chosen token is no block of it.
    assert not asking.receive("a", piggybacked(first, CONTENT, b"other", number(OBSERVE, 4)), 0.2)
    asking.receive("a", piggybacked(second, CONTENT, b"end", block(BLOCK2, 1, False, 0)), 0.3)
    assert outcomes(asking) == [Response(CONTENT, bytes(16) + b"end", observe=3)]


def test_all_parts_of_a_request_have_the_chosen_token():
    asking = client()
    ask(
        asking,
        token=b"chosen",
        request=Request(5, ((OBSERVE, b""),), bytes(100)),
        tuning=Tuning(block_exponent=2),
    )
    (first,) = sent(asking)
    asking.receive("a", piggybacked(first, 0x5F, b"", block(BLOCK1, 0, True, 2)), 0.1)
    (second,) = sent(asking)
    assert token_of(first) == token_of(second) == b"chosen"


def test_a_transfer_keeps_its_turn_until_it_ends():
    asking = client()
    ask(asking, request=Request(PUT, (), bytes(2000)))
    ask(asking)
    (first,) = sent(asking)
    asking.receive("a", piggybacked(first, 0x5F, b"", block(BLOCK1, 0, True, 6)), 0.1)
    (second,) = sent(asking)
    assert second[1] == PUT
    asking.receive("a", piggybacked(second, 0x44, b"", block(BLOCK1, 1, False, 6)), 0.2)
    (third,) = sent(asking)
    assert third[1] == 1

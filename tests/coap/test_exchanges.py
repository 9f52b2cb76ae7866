"""One message and its answer, under a clock that is told the time (RFC 7252 sections 4.2, 4.4, 4.7 and 5.3.2)."""

from __future__ import annotations

import pytest

from coap import ACK, CON, NON, RST, Failed, MessageIds, Reason, Response, Tuning
from coap.message import empty
from tests.coap.peer import (
    CONTENT,
    ask,
    client,
    message,
    mid_of,
    outcomes,
    piggybacked,
    run_out,
    sent,
    separate,
    token_of,
)


def reason(asking) -> Reason:
    (outcome,) = outcomes(asking)
    assert isinstance(outcome, Failed)
    return outcome.reason


def test_it_is_repeated_with_twice_the_pause_and_given_up_after_31_times_the_first():
    asking = client()
    ask(asking)
    (first,) = sent(asking)
    assert run_out(asking, 1000.0) == [(2.0, first), (6.0, first), (14.0, first), (30.0, first)]
    assert reason(asking) is Reason.UNACKNOWLEDGED
    assert asking.next_timer() is None
    assert len(asking) == 0


def test_the_times_of_the_standard():
    tuning = Tuning()
    assert (tuning.transmit_span, tuning.transmit_wait, tuning.exchange_seconds) == (45.0, 93.0, 247.0)


def test_an_answer_on_the_acknowledgement():
    asking = client()
    ask(asking)
    (asked,) = sent(asking)
    assert asking.receive("a", piggybacked(asked, CONTENT, b"hi"), 0.1)
    assert outcomes(asking) == [Response(CONTENT, b"hi")]
    assert sent(asking) == []
    assert run_out(asking, 1000.0) == []


@pytest.mark.parametrize("kind", [CON, NON])
def test_a_separate_answer_is_waited_for_as_long_as_the_device_may_take(kind):
    asking = client()
    ask(asking)
    (asked,) = sent(asking)
    assert asking.receive("a", empty(ACK, mid_of(asked)), 20.0)
    assert run_out(asking, 79.9) == []
    assert asking.receive("a", separate(asked, kind=kind), 79.9)
    assert sent(asking) == ([empty(ACK, 7)] if kind == CON else [])
    assert outcomes(asking) == [Response(CONTENT)]


def test_an_acknowledgement_and_nothing_more():
    asking = client()
    ask(asking)
    (asked,) = sent(asking)
    asking.receive("a", empty(ACK, mid_of(asked)), 20.0)
    asking.receive("a", empty(ACK, mid_of(asked)), 70.0)  # again: it is no reason to wait longer
    assert run_out(asking, 1000.0) == []
    assert reason(asking) is Reason.UNANSWERED


def test_an_answer_that_overtakes_its_acknowledgement():
    asking = client()
    ask(asking)
    (asked,) = sent(asking)
    assert asking.receive("a", separate(asked), 0.1)
    assert outcomes(asking) == [Response(CONTENT)]
    assert not asking.receive("a", empty(ACK, mid_of(asked)), 0.2)


def test_a_reset():
    asking = client()
    ask(asking)
    (asked,) = sent(asking)
    assert asking.receive("a", empty(RST, mid_of(asked)), 0.1)
    assert reason(asking) is Reason.RESET


def test_what_does_not_fit_in_token_message_id_and_kind_is_no_answer():
    asking = client()
    ask(asking)
    (asked,) = sent(asking)
    mid, token = mid_of(asked), token_of(asked)
    for data in (
        empty(ACK, mid + 1),
        empty(RST, mid + 1),
        message(ACK, CONTENT, mid + 1, token),
        message(ACK, CONTENT, mid, token[:-1]),
        message(RST, CONTENT, mid, token),
        message(CON, CONTENT, mid, b""),
        message(NON, CONTENT, mid, token[::-1]),
    ):
        assert not asking.receive("a", data, 0.1), data
    assert not asking.receive("b", piggybacked(asked), 0.1)  # another peer with the same token
    assert outcomes(asking) == []
    assert asking.receive("a", piggybacked(asked), 0.2)


def test_an_answer_that_comes_too_late_is_nobodys():
    asking = client()
    call = ask(asking)
    (asked,) = sent(asking)
    asking.cancel(call, 1.0)
    assert run_out(asking, 1000.0) == []
    assert not asking.receive("a", separate(asked), 2.0)
    assert outcomes(asking) == []


@pytest.mark.parametrize("kind", [CON, ACK, NON])
def test_an_answer_that_cannot_be_read_ends_it_at_once(kind):
    asking = client()
    ask(asking)
    (asked,) = sent(asking)
    broken = message(kind, CONTENT, mid_of(asked), token_of(asked), b"", ((9, b"oscore"),))
    assert asking.receive("a", broken, 0.1)
    assert sent(asking) == ([empty(RST, mid_of(asked))] if kind == CON else [])
    assert reason(asking) is Reason.UNREADABLE


def test_one_at_a_time_to_each_peer():
    asking = client()
    for peer in ("a", "a", "b", "a"):
        ask(asking, peer)
    first, other = sent(asking)
    assert mid_of(first) != mid_of(other)
    asking.receive("a", piggybacked(first), 0.1)
    (second,) = sent(asking)
    asking.receive("a", empty(RST, mid_of(second)), 0.2)
    assert len(sent(asking)) == 1
    assert len(asking) == 2


def test_a_cancelled_one_lets_the_next_one_leave_and_one_that_waits_never_leaves():
    asking = client()
    first, waiting, last = ask(asking), ask(asking), ask(asking)
    sent(asking)
    asking.cancel(waiting, 0.1)
    assert sent(asking) == []
    asking.cancel(first, 0.2)
    assert len(sent(asking)) == 1
    asking.cancel(last, 0.3)
    assert len(asking) == 0
    assert asking.next_timer() is None


def test_a_peer_that_is_gone_takes_all_with_it_and_nobody_else():
    asking = client()
    for peer in ("a", "a", "b"):
        ask(asking, peer)
    sent(asking)
    asking.drop("a", "closed", 0.1)
    assert outcomes(asking) == [Failed(Reason.GONE, "closed")] * 2
    assert sent(asking) == []
    asking.fail_all(Failed(Reason.GONE, "stop"), 0.2)
    assert outcomes(asking) == [Failed(Reason.GONE, "stop")]


def test_whoever_has_no_time_left_is_told_so_even_while_it_waits_for_its_turn():
    asking = client()
    ask(asking, ends_at=50.0)
    ask(asking, ends_at=5.0)
    (asked,) = sent(asking)
    run_out(asking, 5.0)
    assert reason(asking) is Reason.OVERDUE
    asking.receive("a", empty(ACK, mid_of(asked)), 6.0)
    run_out(asking, 50.0)
    assert reason(asking) is Reason.OVERDUE


def test_a_reliable_transport_repeats_nothing_and_acknowledges_nothing():
    asking = client()
    ask(asking, tuning=Tuning(is_reliable=True))
    (asked,) = sent(asking)
    assert not asking.receive("a", empty(ACK, mid_of(asked)), 0.1)
    assert not asking.receive("a", empty(RST, mid_of(asked)), 0.1)
    assert run_out(asking, 152.9) == []
    run_out(asking, 153.0)
    assert reason(asking) is Reason.OVERDUE
    ask(asking, tuning=Tuning(is_reliable=True), now=200.0)
    (asked,) = sent(asking)
    assert asking.receive("a", separate(asked, mid=9, kind=NON), 340.0)
    assert outcomes(asking) == [Response(CONTENT)]


def test_message_ids_are_one_space_to_a_peer():
    ids = MessageIds([65_534, 3])
    peers = [peer for peer in range(100) if hash(peer) % 2 == 0]
    drawn = [ids.draw(peers[0]) for _ in range(4)]
    assert drawn == [65_534, 65_535, 0, 1]
    assert ids.draw(1) == 3

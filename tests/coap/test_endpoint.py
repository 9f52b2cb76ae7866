"""What an endpoint makes of each message of a peer, byte by byte, under an invented clock."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coap
from coap import (
    ACK,
    CON,
    NON,
    RST,
    Asked,
    Continued,
    Delivered,
    Duplicates,
    Empty,
    Failed,
    Fault,
    Finished,
    Limits,
    Notified,
    Reason,
    Refused,
    Rejected,
    Repeated,
    Request,
    Response,
    Tuning,
    deliveries,
)
from coap.codes import BAD_OPTION, CONTENT, CREATED, GET, POST, PROXYING_NOT_SUPPORTED, TOO_LARGE
from coap.message import empty
from coap.options import OBSERVE, SIZE1, URI_PATH
from tests.coap.ends import PEER, asked, endpoint, get, said, sent
from tests.coap.peer import message, mid_of, token_of

CHANGED = 0x44
FUZZ = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def test_the_example_of_the_standard():
    """RFC 7252 appendix A, figure 16: GET /temperature, 2.05 "22.3 C" on the acknowledgement."""
    end = endpoint()
    (request,) = said(end, bytes.fromhex("40017d34bb") + b"temperature")
    assert (request.code, request.path, request.token, request.confirmable) == (
        GET,
        ("temperature",),
        b"",
        True,
    )
    end.answer(request, CONTENT, payload=b"22.3 C", now=0.0)
    assert sent(end) == [bytes.fromhex("60457d34ff") + b"22.3 C"]


def test_the_example_with_a_token_and_a_lost_answer():
    """RFC 7252 appendix A, figures 17 and 19: the repetition is answered with the same bytes, and asked of nobody."""
    end = endpoint()
    data = bytes.fromhex("41017d3520bb") + b"temperature"
    end.answer(asked(end, data), CONTENT, payload=b"22.3 C", now=0.0)
    answer = bytes.fromhex("61457d3520ff") + b"22.3 C"
    assert sent(end) == [answer]
    assert said(end, data, 2.5) == [Repeated(PEER)]
    assert sent(end) == [answer]


def test_a_separate_answer():
    """RFC 7252 section 5.2.2, figure 5."""
    end = endpoint()
    data = get(0x7A10, token=b"\x73")
    request = asked(end, data)
    end.acknowledge(request)
    end.acknowledge(request)
    assert sent(end) == [empty(ACK, 0x7A10)]
    assert said(end, data, 1.0) == [Repeated(PEER)]
    assert sent(end) == [empty(ACK, 0x7A10)]
    delivery = end.answer(request, CONTENT, payload=b"22.5 C", now=5.0, tag="mine")
    (answer,) = sent(end)
    assert answer == message(CON, CONTENT, 100, b"\x73", b"22.5 C")
    assert end.next_timer() == 7.0
    end.handle_timer(7.0)
    assert sent(end) == [answer]
    assert said(end, empty(ACK, 100), 8.0) == [Empty(PEER), Delivered(delivery)]
    assert delivery.tag == "mine"
    assert end.next_timer() is None


def test_a_separate_answer_that_is_never_acknowledged():
    end = endpoint()
    request = asked(end, get(1))
    end.acknowledge(request)
    end.answer(request, CONTENT, now=0.0)
    sent(end)
    while (at := end.next_timer()) is not None:
        end.handle_timer(at)
    assert at is None
    (delivered,) = end.take_events()
    assert delivered.failed is not None
    assert delivered.failed.reason is Reason.UNACKNOWLEDGED
    assert len(sent(end)) == 4


def test_what_was_not_confirmable_is_answered_likewise():
    end = endpoint()
    end.answer(asked(end, get(7, kind=NON)), CHANGED, now=0.0)
    assert sent(end) == [message(NON, CHANGED, 100, b"t")]
    assert said(end, get(7, kind=NON), 1.0) == [Repeated(PEER)]
    assert sent(end) == []


def test_answers_to_whoever_made_an_address_up_are_bounded(monkeypatch):
    """Unconfirmable requests from any number of addresses: what is kept of them does not grow with their number."""
    monkeypatch.setattr(deliveries, "UNCONFIRMED", 100)
    end = endpoint(duplicates=Duplicates(refused_limit=50))
    for number in range(1_000):
        end.answer(asked(end, get(7, kind=NON), peer=number), 0x84, now=0.0)
    sent(end)
    kept = end._server.deliveries
    assert (len(kept._order), len(kept._unconfirmed), len(end.duplicates)) == (100, 100, 50)
    assert said(end, get(7, kind=NON), peer=999) == [Repeated(999)]
    assert said(end, empty(RST, 100 + 999), peer=999)[1].failed.reason is Reason.RESET


@pytest.mark.parametrize("observes", [True, False])
@pytest.mark.parametrize("kind", [CON, NON])
@pytest.mark.parametrize("options", [(), ((1, b""),)])
def test_notifications_of_strangers_are_bounded(observes, kind, options):
    """Also those that cannot be read, for option 1 is critical."""
    end = endpoint(duplicates=Duplicates(refused_limit=50), observes=observes)
    for number in range(1_000):
        for event in said(end, message(kind, CONTENT, 7, b"t", b"", options), peer=number):
            if isinstance(event, Notified):
                end.reject(event)
    assert len(end.duplicates) <= 50


def test_a_message_counts_for_its_lifetime_and_then_as_a_new_one():
    """RFC 7252 section 4.8.2."""
    for kind, seconds in ((CON, 247.0), (NON, 145.0)):
        end = endpoint()
        end.answer(asked(end, get(1, kind=kind)), CHANGED, now=0.0)
        assert said(end, get(1, kind=kind), seconds - 0.1) == [Repeated(PEER)]
        assert isinstance(said(end, get(1, kind=kind), seconds)[0], Asked)


def test_an_answer_that_is_not_final_makes_the_repetition_a_new_attempt():
    end = endpoint()
    end.answer(asked(end, get(1)), 0xA3, max_age=5, now=0.0, is_final=False)
    assert sent(end) == [message(ACK, 0xA3, 1, b"t", b"", ((14, b"\x05"),))]
    asked(end, get(1), 1.0)


def test_everything_that_an_answer_says():
    end = endpoint()
    request = asked(end, get(1))
    end.answer(request, CREATED, location=("rd", "ä"), etag=b"tag", observe=7, content_format=40, now=0.0)
    (data,) = sent(end)
    assert coap.read_response(data) == Response(
        CREATED, content_format=40, location=("rd", "ä"), observe=7, etag=b"tag"
    )


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", None),
        (b"\x40\x01\x00", None),
        (b"\x00\x01\x00\x01", None),  # version 0
        (b"\x80\x01\x00\x01", None),
        (b"\x49\x01\x00\x01" + bytes(9), empty(RST, 1)),  # a token of 9 bytes (RFC 8974 section 2.2.2)
        (b"\x48\x01\x00\x01" + bytes(7), empty(RST, 1)),
        (b"\x40\x20\x00\x01", empty(RST, 1)),  # a reserved class
        (b"\x40\xe1\x00\x01", empty(RST, 1)),
        (b"\x60\x01\x00\x01", None),  # a request is no ACK
        (b"\x70\x45\x00\x01", None),
        (b"\x41\x00\x00\x01t", empty(RST, 1)),  # an empty message with a token (section 4.1)
        (b"\x40\x01\x00\x01\xff", empty(RST, 1)),  # a marker without a payload (section 3)
        (b"\x40\x01\x00\x01\xf0", empty(RST, 1)),
        (b"\x50\x01\x00\x01\xff", None),
        (b"\x40\x45\x00\x01\xf0", empty(RST, 1)),  # a response that nobody waits for, and cannot be read
    ],
)
def test_what_makes_no_sense_is_reset_if_it_is_confirmable(data, answer):
    """RFC 7252 section 4.2 and 4.3."""
    end = endpoint()
    (event,) = said(end, data)
    assert isinstance(event, Rejected)
    assert sent(end) == ([] if answer is None else [answer])


def test_a_ping_is_reset_and_an_unconfirmable_one_is_nothing():
    end = endpoint()
    assert said(end, empty(CON, 5)) == []
    assert sent(end) == [empty(RST, 5)]
    assert said(end, empty(NON, 5)) == []
    assert sent(end) == []
    end.ping(PEER)
    assert sent(end) == [empty(CON, 100)]
    assert said(end, empty(RST, 100)) == [Empty(PEER)]


@pytest.mark.parametrize(
    ("option", "code", "fault"),
    [
        ((9, b"oscore"), BAD_OPTION, Fault.OSCORE),
        ((35, b"coap://x"), PROXYING_NOT_SUPPORTED, Fault.OPTION),
        ((65, b""), BAD_OPTION, Fault.OPTION),
        ((URI_PATH, b"\xff\xfe"), BAD_OPTION, Fault.OPTION),
    ],
)
def test_what_cannot_be_understood_is_refused_once_and_asked_of_nobody(option, code, fault):
    end = endpoint()
    (event,) = said(end, get(1, option))
    assert isinstance(event, Refused)
    assert (event.code, event.fault) == (code, fault)
    assert sent(end) == [message(ACK, code, 1, b"t")]
    assert said(end, get(1, option), 1.0) == [Repeated(PEER)]
    assert sent(end) == [message(ACK, code, 1, b"t")]


def test_an_unconfirmable_request_with_an_unknown_critical_option_is_silently_rejected():
    """RFC 7252 section 5.4.1."""
    end = endpoint()
    assert isinstance(said(end, get(1, (65, b""), kind=NON))[0], Refused)
    assert sent(end) == []


def test_a_message_that_is_too_large_is_told_the_size_that_is_not():
    end = endpoint(limits=Limits(message_bytes=100, request_bytes=5000))
    (event,) = said(end, Request(POST, (), bytes(200)).encode(1, b"t"))
    assert (event.code, event.fault) == (TOO_LARGE, Fault.SIZE)
    answer = coap.read_response(sent(end)[0])
    assert (answer.code, answer.size1, answer.block1.exponent) == (TOO_LARGE, 5000, 6)


# -- notifications ---------------------------------------------------------------------------------------------
def observing(end, path: bytes = b"temp") -> Asked:
    request = asked(end, get(1, (OBSERVE, b""), (URI_PATH, path)))
    assert request.observe == 0
    end.answer(request, CONTENT, payload=b"22", observe=0, now=0.0)
    sent(end)
    return request


def test_a_confirmable_notification():
    end = endpoint()
    request = observing(end)
    first = end.notify(request, Response(CONTENT, b"23", observe=1), confirmable=True, now=1.0)
    second = end.notify(request, Response(CONTENT, b"24", observe=2), confirmable=True, now=1.0, tag=2)
    (data,) = sent(end)
    assert data == message(CON, CONTENT, 100, b"t", b"23", ((OBSERVE, b"\x01"),))
    assert said(end, empty(ACK, mid_of(data)), 2.0) == [Empty(PEER), Delivered(first)]
    (data,) = sent(end)
    assert said(end, empty(RST, mid_of(data)), 2.0)[1].failed.reason is Reason.RESET
    assert second.is_over


def test_a_notification_that_wants_no_acknowledgement_can_still_be_reset():
    """RFC 7641 section 4.5: also a non-confirmable one is rejected with a reset."""
    end = endpoint()
    request = observing(end)
    deliveries = [
        end.notify(request, Response(CONTENT, b"x", observe=n), confirmable=False, now=1.0) for n in range(40)
    ]
    mids = [mid_of(data) for data in sent(end)]
    assert end.next_timer() is None
    assert said(end, empty(RST, mids[-1]), 100.0) == [
        Empty(PEER),
        Delivered(deliveries[-1], Failed(Reason.RESET, "The device answered with a reset.")),
    ]
    assert said(end, empty(RST, mids[-1]), 100.0) == [Empty(PEER)]
    assert said(end, empty(RST, mids[0]), 100.0) == [Empty(PEER)]  # more than so many are not remembered
    assert said(end, empty(RST, mids[-2]), 500.0) == [Empty(PEER)]  # nor for so long


def test_notifications_come_in_once_and_are_settled_by_whoever_hears_them():
    end = endpoint()
    data = message(CON, CONTENT, 7, b"obs", b"23", ((OBSERVE, b"\x05"),))
    (notified,) = said(end, data)
    assert isinstance(notified, Notified)
    assert (notified.token, notified.response.observe, notified.response.payload) == (b"obs", 5, b"23")
    assert said(end, data, 1.0) == [Repeated(PEER)]
    assert sent(end) == []
    end.accept(notified)
    assert sent(end) == [empty(ACK, 7)]
    assert said(end, data, 2.0) == [Repeated(PEER)]
    assert sent(end) == [empty(ACK, 7)]


def test_a_notification_that_was_not_kept_is_new_when_it_comes_again():
    end = endpoint()
    data = message(CON, CONTENT, 7, b"obs", b"23")
    end.forget(said(end, data)[0])
    (notified,) = said(end, data, 2.0)
    end.reject(notified)
    assert sent(end) == [empty(RST, 7)]


def test_where_nobody_observes_a_notification_is_reset():
    end = endpoint(observes=False)
    assert said(end, message(CON, CONTENT, 7, b"obs", b"23")) == []
    assert said(end, message(NON, CONTENT, 8, b"obs", b"23")) == []
    assert sent(end) == [empty(RST, 7)]


# -- both halves -----------------------------------------------------------------------------------------------
def test_an_acknowledgement_that_comes_again_and_again_leaves_nothing_behind():
    end = endpoint()
    end.request(PEER, Request.of(GET), now=0.0)
    (request,) = sent(end)
    for number in range(1_000):
        end.receive(empty(ACK, mid_of(request)), PEER, 0.5 + number / 1_000)
    assert len(end._client._timers._heap) == 2
    assert end.next_timer() == 0.5 + end.tuning.response_seconds


def test_a_request_that_no_message_can_hold_ends_and_the_next_one_leaves():
    end = endpoint()
    calls = [end.request(PEER, Request.of(GET, (name,)), now=0.0) for name in ("a", "b" * 70_000, "c")]
    assert len(sent(end)) == 1
    end.cancel(calls[0], 1.0)
    (finished,) = end.take_events()
    assert (finished.call, finished.outcome.reason) == (calls[1], Reason.TOO_LARGE)
    assert len(sent(end)) == len(end) == 1
    assert end.next_timer() is not None


def test_one_space_of_message_ids_to_a_peer():
    """RFC 7252 section 4.4: requests, answers to what was not confirmable, notifications and pings."""
    end = endpoint(first_id=0xFFFE)
    end.request(PEER, Request.of(GET), now=0.0)
    end.answer(asked(end, get(1, kind=NON)), CHANGED, now=0.0)
    request = asked(end, get(2))
    end.acknowledge(request)
    end.answer(request, CHANGED, now=0.0)
    end.ping(PEER)
    datagrams = [data for data in sent(end) if data[0] >> 4 & 3 != ACK]
    assert [mid_of(data) for data in datagrams] == [0xFFFE, 0xFFFF, 0, 1]


def test_an_acknowledgement_settles_the_message_that_it_is_for():
    end = endpoint()
    end.request(PEER, Request.of(GET), now=0.0)
    request = asked(end, get(1))
    end.acknowledge(request)
    delivery = end.answer(request, CHANGED, now=0.0)
    question, _, answer = sent(end)
    assert said(end, empty(ACK, mid_of(answer)), 1.0) == [Empty(PEER), Delivered(delivery)]
    assert len(end) == 1
    (_, finished) = said(end, empty(RST, mid_of(question)), 1.0)
    assert isinstance(finished, Finished)


def test_a_separate_answer_to_us_is_acknowledged_each_time_it_comes():
    end = endpoint()
    end.request(PEER, Request.of(GET), now=0.0)
    (question,) = sent(end)
    data = message(CON, CONTENT, 9, token_of(question), b"x")
    assert isinstance(said(end, data, 1.0)[0], Finished)
    assert said(end, data, 2.0) == [Repeated(PEER)]
    assert sent(end) == [empty(ACK, 9)] * 2


def test_nothing_is_left_of_a_peer_that_is_gone():
    end = endpoint()
    request = observing(end)
    call = end.request(PEER, Request.of(GET), now=0.0)
    delivery = end.notify(request, Response(CONTENT, b"x"), confirmable=True, now=0.0)
    end.notify(request, Response(CONTENT, b"x"), confirmable=False, now=0.0)
    assert said(end, Request(POST, ((27, b"\x0e"),), bytes(1024)).encode(9, b"")) == [Continued(PEER)]
    large = asked(end, get(10, (URI_PATH, b"large")))
    end.answer(large, CONTENT, payload=bytes(5000), now=0.0)
    asked(end, get(1), peer="other")
    sent(end)
    end.drop(PEER, "closed", 1.0)
    gone = Failed(Reason.GONE, "closed")
    assert end.take_events() == [Finished(call, gone), Delivered(delivery, gone)]
    assert sent(end) == []
    assert end.next_timer() is None
    assert len(end.duplicates) == 1  # of the other one
    assert not any(map(len, (end, end._server.assemblies, end._server.downloads, end._server.deliveries)))
    assert not end._server.deliveries._unconfirmed
    end.answer(large, CONTENT, payload=b"late", now=1.0)  # of somebody who was slow: it harms nothing
    asked(end, get(1), 2.0)


def test_a_way_that_takes_nothing_ends_what_waits_and_forgets_nothing_that_was_said():
    end = endpoint()
    request = observing(end)
    end.request(PEER, Request.of(GET), now=0.0)
    end.notify(request, Response(CONTENT, b"x"), confirmable=True, now=0.0)
    sent(end)
    end.fail(PEER, Failed(Reason.REFUSED, "no"), 1.0)
    assert [type(event) for event in end.take_events()] == [Finished, Delivered]
    assert said(end, get(1, (OBSERVE, b""), (URI_PATH, b"temp")), 2.0) == [Repeated(PEER)]


def test_whose_a_message_is_where_several_share_a_number():
    end, other = endpoint(), endpoint(first_id=500)
    end.request(PEER, Request.of(GET), now=0.0)
    (question,) = sent(end)
    end.answer(asked(end, get(7)), CHANGED, now=0.0)
    request = observing(end)
    end.notify(request, Response(CONTENT, b"x"), confirmable=True, now=0.0)
    (notification,) = sent(end)
    for data in (
        message(ACK, CONTENT, mid_of(question), token_of(question)),
        message(CON, CONTENT, 77, token_of(question)),
        empty(RST, mid_of(question)),
        empty(ACK, mid_of(notification)),
        get(7),
    ):
        assert end.knows(data, PEER, 1.0), data
        assert not other.knows(data, PEER, 1.0), data
    for data in (b"", b"\x49\x01\x00\x01", get(8), empty(ACK, 1), message(CON, CONTENT, 7, b"t")):
        assert not end.knows(data, PEER, 1.0), data


# -- streams ---------------------------------------------------------------------------------------------------
def test_a_stream_repeats_nothing_acknowledges_nothing_and_is_over_after_nonsense():
    end = endpoint(tuning=Tuning(is_reliable=True))
    for _ in range(2):  # the numbers that messages get there come again
        end.answer(asked(end, get(1)), CHANGED, now=0.0)
        assert [data[1] for data in sent(end)] == [CHANGED]
    request = asked(end, get(2))
    end.acknowledge(request)
    end.notify(request, Response(CONTENT, b"x"), confirmable=True, now=0.0)
    assert [data[1] for data in sent(end)] == [CONTENT]
    assert end.next_timer() is None
    assert isinstance(said(end, message(NON, CONTENT, 1, b"obs"))[0], Notified)
    assert isinstance(said(end, message(NON, CONTENT, 1, b"obs"))[0], Notified)
    (rejected,) = said(end, b"\x40\x01\x00\x01\xff")
    assert isinstance(rejected, Rejected)


# -- whatever comes --------------------------------------------------------------------------------------------
DATAGRAMS = st.binary(max_size=60) | st.builds(
    lambda head, code, mid, rest: bytes((head, code)) + mid.to_bytes(2, "big") + rest,
    st.sampled_from([0x40, 0x42, 0x50, 0x51, 0x60, 0x62, 0x70, 0x48]),
    st.sampled_from([0, 1, 2, 3, 5, 0x1F, 0x41, 0x44, 0x45, 0x5F, 0x84, 0x88, 0x8D, 0xA3, 0xE1]),
    st.sampled_from([1, 2, 100, 101, 102, 103]),
    st.binary(max_size=30) | st.sampled_from([b"\x00\x01", b"\x00\x02", b"\xd1\x0a\x08x", b"\xd1\x0e\x0eyy"]),
)


@FUZZ
@given(st.lists(st.tuples(DATAGRAMS, st.integers(0, 5)), max_size=25), st.booleans())
def test_nothing_that_a_peer_says_raises_or_lasts_or_answers_more_than_once(datagrams, is_stream):
    """Requests of ours are on their way, the peer is answered at random, and the time passes."""
    end = endpoint(tuning=Tuning(is_reliable=is_stream))
    now, open_requests = 0.0, []
    for data, what in datagrams:
        now += what
        end.receive(data, PEER, now)
        assert len(end.take_sent()) <= 2  # an ACK or an answer, and a next message
        for event in end.take_events():
            if isinstance(event, Asked):
                open_requests.append(event)
            elif isinstance(event, Notified):
                [end.accept, end.reject, end.forget][what % 3](event)
        if what == 0:
            end.request(PEER, Request.of(GET, ("3",), payload=bytes(3000)), now=now)
        if what == 1 and open_requests:
            end.acknowledge(open_requests[-1])
        if what > 2 and open_requests:
            request = open_requests.pop()
            end.answer(request, CONTENT, payload=bytes(what * 500), observe=request.observe, now=now)
            end.notify(request, Response(CONTENT, bytes(what * 500)), confirmable=what == 3, now=now)
        end.take_sent()
    with contextlib.suppress(StopIteration):
        for _ in range(10_000):
            at = end.next_timer()
            if at is None:
                raise StopIteration
            assert at <= now + 2000
            end.handle_timer(at)
    assert end.next_timer() is None
    assert len(end) == 0
    end.drop(PEER, "over", now + 2000)
    assert not any(map(len, (end.duplicates, end._server.assemblies, end._server.downloads)))


def test_size1_is_read_by_whoever_asked():
    assert coap.read_response(message(ACK, TOO_LARGE, 1, b"", b"", ((SIZE1, b"\x04\x00"),))).size1 == 1024

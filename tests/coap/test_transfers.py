"""Two endpoints with a wire between: whatever is asked and answered arrives as a whole, in blocks and over losses."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coap import Block, Continued, Failed, Limits, Notified, Reason, Request, Response, Tuning, read_response
from coap.codes import BAD_REQUEST, CONTENT, FETCH, GET, POST, PUT, TOO_LARGE
from coap.options import BLOCK2
from tests.coap.ends import PEER, Pair, asked, endpoint, get, sent

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
exponents = st.integers(0, 6)
sizes = st.integers(0, 3000) | st.sampled_from([15, 16, 17, 1023, 1024, 1025, 2048])


def content(size: int) -> bytes:
    return bytes(number * 7 & 0xFF for number in range(size))


def with_blocks(exponent: int) -> dict[str, object]:
    return {"tuning": Tuning(block_exponent=exponent)}


@FUZZ
@given(sizes, sizes, exponents, exponents, st.sampled_from([POST, PUT, FETCH]), st.booleans())
def test_any_request_and_any_answer_whatever_each_side_takes(up, down, ours, theirs, code, is_stream):
    pair = Pair(
        lambda asked: {"payload": content(down), "content_format": 60},
        asking={"tuning": Tuning(block_exponent=ours, is_reliable=is_stream)},
        answering={"tuning": Tuning(block_exponent=theirs, is_reliable=is_stream)},
    )
    outcome = pair.ask(Request.of(code, ("a", "b"), ("x=1",), payload=content(up)))
    assert isinstance(outcome, Response)
    assert (outcome.code, outcome.payload, outcome.content_format) == (CONTENT, content(down), 60)
    (request,) = pair.served
    assert (request.path, request.query, request.payload) == (("a", "b"), ("x=1",), content(up))
    assert max(map(len, pair.wire)) <= max(16 << ours, 16 << theirs) + 60
    assert len(pair.answering._server.assemblies) == len(pair.answering._server.downloads) == 0


@FUZZ
@given(st.sets(st.integers(1, 40)), st.sampled_from([0, 100, 2500]), st.sampled_from([0, 100, 2500]))
@example({1, 3, 5, 7}, 2500, 2500)
def test_what_the_wire_loses_is_repeated_and_nothing_is_served_twice(lost, up, down):
    pair = Pair(
        lambda asked: {"payload": content(down)},
        asking=with_blocks(6),
        answering=with_blocks(6),
        lose=lambda number: number in lost,
    )
    outcome = pair.ask(Request.of(POST, ("a",), payload=content(up)))
    if isinstance(outcome, Failed):  # so many in a row that the message was given up
        assert outcome.reason is Reason.UNACKNOWLEDGED
        return
    assert outcome.payload == content(down)
    assert [len(request.payload) for request in pair.served] == [up]


def test_a_request_that_is_too_large_is_refused_with_the_size_that_is_not():
    pair = Pair(lambda asked: {}, answering={"limits": Limits(request_bytes=2048)})
    outcome = pair.ask(Request.of(POST, payload=bytes(5000)))
    assert (outcome.code, outcome.size1) == (TOO_LARGE, 2048)
    assert pair.served == []
    assert any(isinstance(event, Continued) for event in pair.events)


def test_a_large_notification_is_fetched_from_what_was_kept():
    pair = Pair(lambda asked: {"payload": b"small", "observe": 0})
    pair.ask(Request.of(GET, ("3",), observe=0), token=b"obs")
    (request,) = pair.served
    told = Response(CONTENT, content(3000), 60, observe=1)
    pair.answering.notify(request, told, confirmable=True, now=pair.now)
    pair.run()
    (notified,) = [event for event in pair.events if isinstance(event, Notified)]
    assert (notified.response.payload, notified.response.block2) == (content(1024), Block(0, True, 6))
    pair.asking.accept(notified)
    fetched = bytearray(notified.response.payload)
    for number in (1, 2):
        pair.answering.receive(
            get(number, (11, b"3"), (BLOCK2, Block(number, False, 6).encode())), PEER, pair.now
        )
        part = read_response(sent(pair.answering)[0])
        assert part.etag == notified.response.etag
        fetched += part.payload
    assert bytes(fetched) == content(3000)
    assert len(pair.served) == 1


def test_an_answer_that_is_not_kept_any_more_is_asked_for_anew_without_a_second_observation():
    end = endpoint()
    block = (BLOCK2, Block(1, False, 6).encode())
    request = asked(end, get(1, (6, b""), block))
    assert (request.observe, request.block2) == (None, Block(1, False, 6))
    end.answer(request, CONTENT, payload=content(3000), observe=4, now=0.0)
    (data,) = sent(end)
    assert data.endswith(content(2048)[1024:])
    end.answer(asked(end, get(2, (BLOCK2, Block(9, False, 6).encode())), 1.0), CONTENT, payload=b"x", now=1.0)
    assert sent(end)[0][1] == BAD_REQUEST  # there is no such block


def test_answers_that_are_fetched_are_bounded():
    end = endpoint()
    for number in range(50):
        request = asked(end, get(number, (11, b"%d" % number)))
        end.answer(request, CONTENT, payload=bytes(2000), now=0.0)
    assert len(end._server.downloads) == 4
    end.answer(asked(end, get(99), 300.0), CONTENT, payload=bytes(2000), now=300.0)
    assert len(end._server.downloads) == 1


def test_short_ones_leave_whole_where_a_block_would_be_shorter():
    """As by SMS: 104 bytes fit, and blocks of what is more have 64."""
    tuning = Tuning(block_exponent=2, unsplit_request_bytes=256, unsplit_answer_bytes=104)
    pair = Pair(
        lambda asked: {"payload": bytes(104)}, asking={"tuning": tuning}, answering={"tuning": tuning}
    )
    pair.ask(Request.of(POST, payload=bytes(256)))
    assert len(pair.wire) == 2
    pair.asking.request(PEER, Request.of(POST, payload=bytes(257)), now=0.0)
    pair.run()
    assert len(pair.wire) == 2 + 2 * 5


def test_what_is_asked_without_acknowledgement_is_sent_once():
    pair = Pair(lambda asked: {"payload": b"hi"})
    outcome = pair.ask(Request.of(GET, confirmable=False))
    assert outcome.payload == b"hi"
    assert [data[0] >> 4 & 3 for data in pair.wire] == [1, 1]
    lossy = Pair(lambda asked: {}, lose=lambda number: True)
    assert lossy.ask(Request.of(GET, confirmable=False)).reason is Reason.OVERDUE
    assert len(lossy.wire) == 1

"""CoAP on a stream (RFC 8323): frames however they are cut, the signals, and one connection."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coap import CON, NON
from coap.codes import ABORT, CSM, PING, PONG, RELEASE
from coap.stream import Broken, Frame, Splitter, Stream, abort, check_signal, csm, from_datagram, release


@pytest.mark.parametrize(
    ("wire", "frame"),
    [
        # RFC 8323 section 3.2, figure 5: 2.03 with the token 7f, without options and payload
        (bytes.fromhex("01437f"), Frame(0x43, b"\x7f", b"")),
        # a length of 13 to 268 has one more byte
        (bytes.fromhex("d1004599") + b"\xff" + b"x" * 12, Frame(0x45, b"\x99", b"\xff" + b"x" * 12)),
        (bytes.fromhex("e0000045") + b"\xff" + b"x" * 268, Frame(0x45, b"", b"\xff" + b"x" * 268)),
    ],
)
def test_vectors(wire, frame):
    assert list(Splitter().feed(wire)) == [frame]
    assert frame.encode() == wire


frames = st.builds(
    Frame,
    st.sampled_from([0x01, 0x02, 0x44, 0x45, 0x84, CSM]),
    st.binary(max_size=8),
    st.integers(0, 3000).map(bytes),
)


@given(st.lists(frames, max_size=5), st.integers(1, 700))
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(sent, step):
    wire = b"".join(frame.encode() for frame in sent)
    splitter = Splitter()
    found = [frame for at in range(0, len(wire), step) for frame in splitter.feed(wire[at : at + step])]
    assert found == [frame for frame in sent if frame != Frame(0, b"", b"")]
    assert not splitter.is_within


@given(st.lists(st.one_of(frames, st.just(Frame(0, b"", b""))), max_size=40), st.integers(1, 100_000))
@settings(max_examples=25, deadline=None)
def test_empty_messages_between_others_say_nothing_however_many(sent, empty):
    """100,000 of them are one segment that asyncio reads at once."""
    wire = b"\x00\x00" * empty + b"".join(frame.encode() for frame in sent)
    assert list(Splitter().feed(wire)) == [frame for frame in sent if frame != Frame(0, b"", b"")]


def cpu_seconds(count):
    """What a segment of so many messages costs the processor, at best."""
    wire = Frame(PING, b"", b"").encode() * count
    best = float("inf")
    for _ in range(5):
        began_at = time.thread_time()
        assert sum(1 for _ in Splitter().feed(wire)) == count
        best = min(best, time.thread_time() - began_at)
    return best


def test_many_small_messages_in_one_segment_cost_no_more_each():
    """Eight times as many cost eight times as much; where each copies what is left, sixty-four times."""
    assert cpu_seconds(64_000) < 24 * cpu_seconds(8_000)


@given(st.binary(max_size=400))
def test_nothing_but_broken_comes_of_any_bytes(data):
    splitter = Splitter()
    try:
        for frame in splitter.feed(data):
            check_signal(frame)
    except Broken:
        return


@given(frames)
def test_a_message_has_the_same_content_as_a_datagram(frame):
    assert from_datagram(frame.to_datagram(CON, 77)) == frame


# -- one connection --------------------------------------------------------------------------------------------
def messages(stream: Stream, data: bytes) -> list[bytes]:
    stream.add(data)
    found = []
    while (message := stream.take()) is not None:
        found.append(message)
    return found


def test_a_connection_from_its_capabilities_to_its_release():
    stream = Stream()
    assert stream.opening() == csm(4096)
    assert not stream.is_introduced
    request = Frame(2, b"tok", b"\xb2rd")
    first, second = messages(
        stream, csm(2000) + request.encode() + b"\0\0" + Frame(0x45, b"t", b"").encode()
    )[1:]
    assert (stream.is_introduced, stream.peer_size) == (True, 2000)
    assert (first[0] >> 4 & 3, from_datagram(first)) == (CON, request)
    assert (second[0] >> 4 & 3, second[1]) == (NON, 0x45)
    assert first[2:4] != second[2:4]
    assert messages(stream, Frame(PING, b"p", b"\x20").encode()) == [b""]  # with the Custody option
    assert stream.take_sent() == [Frame(PONG, b"p", b"").encode()]
    assert messages(stream, release() + request.encode()) == [b""]
    assert stream.is_released
    assert messages(stream, request.encode()) == []


def test_an_abort_ends_it():
    stream = Stream()
    assert messages(stream, csm() + abort("no") + Frame(2, b"", b"").encode()) == [b"", b""]
    assert (stream.is_aborted, stream.is_released) == (True, False)


@pytest.mark.parametrize(
    "data",
    [
        Frame(2, b"", b"").encode(),  # a request before the capabilities
        Frame(PING, b"", b"").encode(),
        Frame(RELEASE, b"", b"").encode(),
        Frame(CSM, b"", b"\x90").encode(),  # a critical option that nobody knows (section 5.2)
        Frame(CSM, b"", b"\xf0").encode(),
        csm() + Frame(ABORT, b"", b"\x10").encode(),
        csm() + b"\x09\x01",
    ],
)
def test_what_makes_no_sense_breaks_it(data):
    with pytest.raises(Broken):
        messages(Stream(), data)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_nothing_but_broken_comes_of_anything_on_a_connection(data, step):
    stream = Stream()
    try:
        messages(stream, csm())
        for at in range(0, len(data), step):
            messages(stream, data[at : at + step])
    except Broken:
        return
    assert not stream.is_within or len(data) < 4096

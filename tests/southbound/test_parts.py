"""The bounded parts of southbound by themselves: message ids, block assembly, timers, counters, codec."""

from __future__ import annotations

import pytest

from lwm2m.codes import Code
from lwm2m.messages import Request, Response
from southbound.counters import GATHERED_LIMIT, Counters
from southbound.expiry import HORIZON_SECONDS, Timers
from southbound.transports import blocks, coap
from southbound.transports.blocks import MAX_BYTES, MAX_OPEN, Assemblies
from southbound.transports.coap import Block
from southbound.transports.recent import UNSEEN, RecentMessages


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_message_ids_are_bounded_in_number():
    recent = RecentMessages(Clock(), limit=100)
    for mid in range(1000):
        recent.begin(("peer", mid))
    assert len(recent) <= 100
    assert recent.get(("peer", 999)) is None
    assert recent.get(("peer", 0)) is UNSEEN


def test_message_ids_are_bounded_in_time():
    clock = Clock()
    recent = RecentMessages(clock, seconds=247)
    recent.begin(("peer", 1))
    recent.answered(("peer", 1), b"answer")
    clock.now += 247
    recent.begin(("peer", 2))
    assert recent.get(("peer", 1)) == b"answer"
    clock.now += 247
    recent.begin(("peer", 3))
    assert recent.get(("peer", 1)) is UNSEEN


def test_a_forgotten_message_is_new_again():
    recent = RecentMessages(Clock())
    recent.begin(("peer", 1))
    recent.forget(("peer", 1))
    recent.answered(("peer", 1), b"late")
    assert recent.get(("peer", 1)) is UNSEEN


def request(payload: bytes, name: str = "a") -> Request:
    return Request(Code.POST, ("rd",), (f"ep={name}",), 40, payload)


def test_blocks_come_together_in_order_only():
    assemblies = Assemblies(Clock())
    assert assemblies.feed("p", request(b"x" * 16), Block(0, True, 0)) == Response(Code.CONTINUE)
    skipped = assemblies.feed("p", request(b"z" * 16), Block(2, True, 0))
    assert skipped == Response(Code.REQUEST_ENTITY_INCOMPLETE)
    whole = assemblies.feed("p", request(b"y"), Block(1, False, 0))
    assert isinstance(whole, Request)
    assert whole.payload == b"x" * 16 + b"y"
    assert len(assemblies) == 0


def test_blocks_of_different_peers_never_mix():
    assemblies = Assemblies(Clock())
    assemblies.feed("p", request(b"x" * 16), Block(0, True, 0))
    other = assemblies.feed("q", request(b"y"), Block(1, False, 0))
    assert other == Response(Code.REQUEST_ENTITY_INCOMPLETE)


def test_block_assemblies_are_bounded_in_size_number_and_time():
    clock = Clock()
    assemblies = Assemblies(clock)
    for number in range(MAX_OPEN * 2):
        assemblies.feed("p", request(b"x" * 16, str(number)), Block(0, True, 0))
    assert len(assemblies) == MAX_OPEN
    clock.now += 94
    whole, rest = divmod(MAX_BYTES, 1024)
    assert rest == 0
    for number in range(whole):
        answer = assemblies.feed("p", request(b"x" * 1024), Block(number, True, 6))
        assert answer == Response(Code.CONTINUE)
    answer = assemblies.feed("p", request(b"x" * 1024), Block(whole, True, 6))
    assert answer == Response(Code.REQUEST_ENTITY_TOO_LARGE)
    assert len(assemblies) == 0


def test_all_block_assemblies_together_are_bounded(monkeypatch):
    monkeypatch.setattr(blocks, "MAX_ALL_BYTES", 10 * 1024)
    assemblies = Assemblies(Clock())
    for number in range(20):
        answer = assemblies.feed("p", request(b"x" * 1024, str(number)), Block(0, True, 6))
        assert answer == Response(Code.CONTINUE)
    assert len(assemblies) == 10
    oldest = assemblies.feed("p", request(b"y", "0"), Block(1, False, 6))
    newest = assemblies.feed("p", request(b"y", "19"), Block(1, False, 6))
    assert oldest == Response(Code.REQUEST_ENTITY_INCOMPLETE)
    assert newest.payload == b"x" * 1024 + b"y"


def test_timers_hold_one_entry_per_device_and_follow_refreshes():
    timers = Timers()
    timers.note(1, 10.0, now=0.0)
    timers.note(1, 20.0, now=0.0)
    timers.note(2, 15.0, now=0.0)
    timers.note(3, HORIZON_SECONDS + 1, now=0.0)
    assert len(timers) == 2
    assert timers.due(now=12.0) == []
    assert timers.due(now=16.0) == [2]
    assert timers.due(now=20.0) == [1]
    timers.note(4, 30.0, now=20.0)
    timers.note(4, None, now=20.0)
    assert timers.due(now=99.0) == []
    assert len(timers) == 0


def test_refusals_are_gathered_up_to_a_bound():
    counters = Counters()
    for number in range(GATHERED_LIMIT + 50):
        counters.refused("management", "ENDPOINT_UNKNOWN", f"name-{number}", "192.0.2.1", "")
    counters.refused("management", "ENDPOINT_UNKNOWN", "name-1", "192.0.2.1", "")
    seen = counters.take()
    assert len(seen) == GATHERED_LIMIT
    assert counters.uncounted == 50
    assert next(knock for knock in seen if knock.claimed_name == "name-1").count == 2
    assert counters.take() == []


@pytest.mark.parametrize("length", [0, 12, 13, 268, 269, 600])
def test_option_lengths_are_written_and_read(length):
    response = Response(Code.CREATED, location=("rd", "x" * length))
    raw = coap.write_response(coap.ACK, 1, b"tok", response)
    import aiocoap

    assert aiocoap.Message.decode(raw).opt.location_path == ("rd", "x" * length)


def test_reading_agrees_with_aiocoap():
    import aiocoap

    message = aiocoap.Message(code=aiocoap.POST, payload=b"</1/0>", _mid=7, _mtype=0, _token=b"tt")
    message.opt.uri_path = ("rd", "é" * 20)
    message.opt.uri_query = ("ep=x", "lt=60", "y" * 250)
    message.opt.content_format = 40
    message.opt.accept = 112
    message.opt.block1 = (3, True, 5)
    raw = message.encode()
    read, block = coap.read_request(raw, 6, 2, True)
    assert (read.path, read.query) == (message.opt.uri_path, message.opt.uri_query)
    assert (read.content_format, read.accept, read.payload) == (40, 112, b"</1/0>")
    assert block == Block(3, True, 5)
    assert block.size == 512

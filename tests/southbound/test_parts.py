"""The bounded parts of southbound by themselves: message ids, block assembly, timers, counters, codec."""

from __future__ import annotations

import pytest

from lwm2m.codes import Code
from lwm2m.messages import Request, Response
from southbound.counters import GATHERED_LIMIT, Counters
from southbound.expiry import HORIZON_SECONDS, Timers
from southbound.transports import blocks, coap
from southbound.transports import recent as recent_messages
from southbound.transports.blocks import MAX_BYTES, MAX_OPEN, PEER_OPEN, Assemblies
from southbound.transports.coap import Block
from southbound.transports.recent import PEER_LIMIT, RecentMessages

CHANGED, FOUND, REFUSED = b"\x60\x44\x00\x01", b"\x60\x45\x00\x01", b"\x60\x84\x00\x01"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def answered(recent: RecentMessages, peer: str, mid: int, data: bytes, answer: bytes = CHANGED) -> None:
    recent.keep(recent.begin(peer, mid, data, True), answer)


def test_a_message_id_counts_for_exactly_its_lifetime():
    """RFC 7252 section 4.8.2: EXCHANGE_LIFETIME is 247 s, NON_LIFETIME 145 s."""
    clock = Clock()
    recent = RecentMessages(clock)
    for is_confirmable, seconds in ((True, 247.0), (False, 145.0)):
        started_at = clock.now
        recent.begin("peer", 1, b"said", is_confirmable)
        clock.now = started_at + seconds - 0.1
        assert recent.find("peer", 1, b"said") is not None
        clock.now = started_at + seconds
        assert recent.find("peer", 1, b"said") is None
        recent.begin("other", 2, b"said", True)
        assert len(recent) == 1
        clock.now += 1000


def test_the_same_id_with_other_bytes_is_another_message():
    """A device that starts anew may begin with the id that it had before (leshan#697)."""
    recent = RecentMessages(Clock())
    answered(recent, "peer", 1, b"register")
    assert recent.find("peer", 1, b"send") is None
    answered(recent, "peer", 1, b"send")
    assert recent.find("peer", 1, b"send").answer == CHANGED
    assert recent.find("peer", 1, b"register") is None
    assert len(recent) == 1


def test_an_answer_belongs_to_its_own_message():
    recent = RecentMessages(Clock())
    first = recent.begin("peer", 1, b"register", True)
    second = recent.begin("peer", 1, b"send", True)
    recent.keep(first, b"\x60\x41\x00\x01")
    assert recent.find("peer", 1, b"send") is second
    assert second.answer is None


def test_no_peer_pushes_out_what_another_said():
    recent = RecentMessages(Clock())
    answered(recent, "honest", 1, b"said")
    for number in range(100_000):
        answered(recent, "loud", number & 0xFFFF, b"%d" % number)
    assert recent.find("honest", 1, b"said").answer == CHANGED
    assert recent.find("loud", 99_999 & 0xFFFF, b"99999") is not None
    assert len(recent) == 1 + PEER_LIMIT


def test_all_together_are_bounded_and_the_oldest_give_way():
    recent = RecentMessages(Clock(), limit=100)
    for number in range(1000):
        answered(recent, f"peer {number}", 1, b"said")
    assert len(recent) == 100
    assert recent.find("peer 999", 1, b"said") is not None
    assert recent.find("peer 899", 1, b"said") is None


def test_what_was_refused_gives_way_first(monkeypatch):
    """Strangers from any number of addresses make nobody forget what was stored."""
    monkeypatch.setattr(recent_messages, "REFUSED_LIMIT", 50)
    monkeypatch.setattr(recent_messages, "_REBUILT_ABOVE", 500)
    recent = RecentMessages(Clock(), limit=100)
    answered(recent, "honest", 1, b"said")
    for number in range(10_000):
        answered(recent, f"stranger {number}", 1, b"who", REFUSED if number % 2 else FOUND)
    assert recent.find("honest", 1, b"said") is not None
    assert len(recent) == 51
    assert len(recent._order) <= 501


@pytest.mark.parametrize(("rate", "seconds"), [(1_000, 247.0), (5_000, 100.0), (12_000, 45.0)])
def test_a_message_is_remembered_until_its_last_repetition_at_any_rate(rate, seconds):
    """The last repetition comes within MAX_TRANSMIT_SPAN, 45 s (RFC 7252 section 4.8.2)."""
    clock = Clock()
    recent = RecentMessages(clock)
    answered(recent, "device", 1, b"register")
    began_at = clock.now
    for number in range(int(rate * seconds) - 1):
        clock.now += 1 / rate
        recent.begin(number, 7, b"update", True)
    assert clock.now - began_at == pytest.approx(seconds, abs=0.1)
    assert recent.find("device", 1, b"register") is not None


def test_a_forgotten_message_is_new_again():
    recent = RecentMessages(Clock())
    seen = recent.begin("peer", 1, b"said", True)
    recent.forget(seen)
    recent.keep(seen, CHANGED)
    recent.answered(("peer", 1), CHANGED)
    assert recent.find("peer", 1, b"said") is None
    assert len(recent) == 0


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


def begin(assemblies: Assemblies, peer: str, name: str = "a", payload: bytes = b"x" * 1024) -> None:
    assert assemblies.feed(peer, request(payload, name), Block(0, True, 6)) == Response(Code.CONTINUE)


def go_on(assemblies: Assemblies, peer: str, name: str = "a", number: int = 1) -> Request | Response:
    return assemblies.feed(peer, request(b"x" * 1024, name), Block(number, True, 6))


def test_a_request_in_blocks_is_bounded_in_size_and_time():
    clock = Clock()
    assemblies = Assemblies(clock)
    begin(assemblies, "p")
    clock.now += 94
    assert go_on(assemblies, "p") == Response(Code.REQUEST_ENTITY_INCOMPLETE)
    begin(assemblies, "p")
    whole, rest = divmod(MAX_BYTES, 1024)
    assert rest == 0
    for number in range(1, whole):
        assert go_on(assemblies, "p", number=number) == Response(Code.CONTINUE)
    assert go_on(assemblies, "p", number=whole) == Response(Code.REQUEST_ENTITY_TOO_LARGE)
    assert len(assemblies) == 0


def test_a_peer_that_begins_many_pushes_out_its_own_alone():
    assemblies = Assemblies(Clock())
    begin(assemblies, "honest")
    for number in range(10_000):
        begin(assemblies, "loud", str(number))
    assert len(assemblies) == 1 + PEER_OPEN
    assert go_on(assemblies, "honest") == Response(Code.CONTINUE)
    assert go_on(assemblies, "loud", "0") == Response(Code.REQUEST_ENTITY_INCOMPLETE)
    assert go_on(assemblies, "loud", "9999") == Response(Code.CONTINUE)


def test_first_blocks_of_any_number_of_peers_push_out_nobody_who_went_on():
    assemblies = Assemblies(Clock())
    begin(assemblies, "honest")
    for number in range(256):
        begin(assemblies, f"stranger {number}")
    assert go_on(assemblies, "honest") == Response(Code.CONTINUE)
    for number in range(MAX_OPEN * 3):
        begin(assemblies, f"stranger {number}", payload=b"x" * 1024)
    assert go_on(assemblies, "honest", number=2) == Response(Code.CONTINUE)
    assert len(assemblies) == 1 + MAX_OPEN


def test_all_requests_in_blocks_together_are_bounded(monkeypatch):
    monkeypatch.setattr(blocks, "MAX_ALL_BYTES", 10 * 1024)
    assemblies = Assemblies(Clock())
    for number in range(20):
        begin(assemblies, f"p{number}")
    assert len(assemblies) == 10
    assert go_on(assemblies, "p0") == Response(Code.REQUEST_ENTITY_INCOMPLETE)
    for number in range(10, 20):
        assert go_on(assemblies, f"p{number}") == Response(Code.CONTINUE)
    assert len(assemblies) == 5
    assert len(assemblies._peers) == 5
    assert go_on(assemblies, "p19", number=2) == Response(Code.CONTINUE)


def test_several_blocks_in_a_message_are_counted_in_units_of_1024():
    """BERT (RFC 8323 section 6): the number counts blocks, not messages."""
    assemblies = Assemblies(Clock())
    payload = bytes(range(256)) * 20
    assert assemblies.feed("p", request(payload[:3072]), Block(0, True, 7)) == Response(Code.CONTINUE)
    assert assemblies.feed("p", request(payload[3072:4000]), Block(3, True, 7)) == Response(Code.BAD_REQUEST)
    assert assemblies.feed("p", request(payload[3072:]), Block(3, False, 7)).payload == payload


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

    from tests.fakes import foreign

    message = foreign.message(0, 7, b"tt", code=aiocoap.POST, payload=b"</1/0>")
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

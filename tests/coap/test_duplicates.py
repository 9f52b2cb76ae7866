"""Which messages came before, by an invented clock (RFC 7252 sections 4.5 and 4.8.2)."""

from __future__ import annotations

import pytest

from coap import Duplicates
from coap import duplicates as seen_before
from coap.duplicates import PEER_LIMIT, Seen

CHANGED, FOUND, REFUSED = b"\x60\x44\x00\x01", b"\x60\x45\x00\x01", b"\x60\x84\x00\x01"
RESET = b"\x70\x00\x00\x01"


class Told:
    """One under a clock that is told the time."""

    def __init__(self, **more: int) -> None:
        self.now = 1000.0
        self.kept = Duplicates(**more)
        self.keep, self.forget, self.drop = self.kept.keep, self.kept.forget, self.kept.drop

    def __len__(self) -> int:
        return len(self.kept)

    def find(self, peer: object, mid: int, data: bytes) -> Seen | None:
        return self.kept.find(peer, mid, data, self.now)

    def begin(self, peer: object, mid: int, data: bytes, is_confirmable: bool = True) -> Seen:
        return self.kept.begin(peer, mid, data, is_confirmable, self.now)


def answered(recent: Told, peer: str, mid: int, data: bytes, answer: bytes = CHANGED) -> None:
    recent.keep(recent.begin(peer, mid, data, True), answer)


def test_a_message_id_counts_for_exactly_its_lifetime():
    """RFC 7252 section 4.8.2: EXCHANGE_LIFETIME is 247 s, NON_LIFETIME 145 s."""
    recent = Told()
    for is_confirmable, seconds in ((True, 247.0), (False, 145.0)):
        started_at = recent.now
        recent.begin("peer", 1, b"said", is_confirmable)
        recent.now = started_at + seconds - 0.1
        assert recent.find("peer", 1, b"said") is not None
        recent.now = started_at + seconds
        assert recent.find("peer", 1, b"said") is None
        recent.begin("other", 2, b"said", True)
        assert len(recent) == 1
        recent.now += 1000


def test_the_same_id_with_other_bytes_is_another_message():
    """A device that starts anew may begin with the id that it had before (leshan#697)."""
    recent = Told()
    answered(recent, "peer", 1, b"register")
    assert recent.find("peer", 1, b"send") is None
    answered(recent, "peer", 1, b"send")
    assert recent.find("peer", 1, b"send").answer == CHANGED
    assert recent.find("peer", 1, b"register") is None
    assert len(recent) == 1


def test_an_answer_belongs_to_its_own_message():
    recent = Told()
    first = recent.begin("peer", 1, b"register", True)
    second = recent.begin("peer", 1, b"send", True)
    recent.keep(first, b"\x60\x41\x00\x01")
    assert recent.find("peer", 1, b"send") is second
    assert second.answer is None


def test_no_peer_pushes_out_what_another_said():
    recent = Told()
    answered(recent, "honest", 1, b"said")
    for number in range(100_000):
        answered(recent, "loud", number & 0xFFFF, b"%d" % number)
    assert recent.find("honest", 1, b"said").answer == CHANGED
    assert recent.find("loud", 99_999 & 0xFFFF, b"99999") is not None
    assert len(recent) == 1 + PEER_LIMIT


def test_all_together_are_bounded_and_the_oldest_give_way():
    recent = Told(limit=100)
    for number in range(1000):
        answered(recent, f"peer {number}", 1, b"said")
    assert len(recent) == 100
    assert recent.find("peer 999", 1, b"said") is not None
    assert recent.find("peer 899", 1, b"said") is None


def test_what_was_refused_gives_way_first(monkeypatch):
    """Strangers from any number of addresses make nobody forget what was stored."""
    monkeypatch.setattr(seen_before, "_REBUILT_ABOVE", 500)
    recent = Told(limit=100, refused_limit=50)
    answered(recent, "honest", 1, b"said")
    for number in range(10_000):
        answered(recent, f"stranger {number}", 1, b"who", (REFUSED, FOUND, RESET)[number % 3])
    assert recent.find("honest", 1, b"said") is not None
    assert len(recent) == 51
    assert len(recent.kept._order) <= 501


@pytest.mark.parametrize(("rate", "seconds"), [(1_000, 247.0), (5_000, 100.0), (12_000, 45.0)])
def test_a_message_is_remembered_until_its_last_repetition_at_any_rate(rate, seconds):
    """The last repetition comes within MAX_TRANSMIT_SPAN, 45 s (RFC 7252 section 4.8.2)."""
    recent = Told()
    answered(recent, "device", 1, b"register")
    began_at = recent.now
    for number in range(int(rate * seconds) - 1):
        recent.now += 1 / rate
        recent.begin(number, 7, b"update", True)
    assert recent.now - began_at == pytest.approx(seconds, abs=0.1)
    assert recent.find("device", 1, b"register") is not None


def test_a_forgotten_message_is_new_again():
    recent = Told()
    seen = recent.begin("peer", 1, b"said", True)
    recent.forget(seen)
    recent.keep(seen, CHANGED)
    assert recent.find("peer", 1, b"said") is None
    assert len(recent) == 0


def test_nothing_is_left_of_a_peer_that_is_gone():
    recent = Told()
    seen = recent.begin("peer", 1, b"said")
    answered(recent, "peer", 2, b"more")
    answered(recent, "other", 1, b"said")
    recent.drop("peer")
    recent.keep(seen, CHANGED)
    assert (seen.peer, seen.answer) == (None, None)
    assert recent.find("peer", 1, b"said") is None
    assert recent.find("peer", 2, b"more") is None
    assert recent.find("other", 1, b"said") is not None
    assert len(recent) == 1

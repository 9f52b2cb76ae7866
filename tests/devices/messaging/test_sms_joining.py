"""Parts of several messages under one reference, in every order in which they may come: never a mixture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations

import pytest

from devices.messaging.services.sms_joining import SETTLE, SPAN, Piece, join

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def pieces(said: str, *, gaps: dict[int, float] | None = None) -> list[Piece]:
    """``A1 B2 C1/3``: message, number, and the total where it is not 2; `gaps` are seconds before the piece there."""
    found, at = [], NOW
    for index, each in enumerate(said.split()):
        at += timedelta(seconds=(gaps or {}).get(index, 0.0))
        number, _, total = each[1:].partition("/")
        found.append(Piece(index, int(number), int(total or 2), each[:2].encode(), at))
    return found


def told(found: list[Piece], now: datetime) -> list[str]:
    return ["".join(piece.content.decode() for piece in message) for message in join(found, now).whole]


ALL = ("A1", "A2", "B1", "B2")


@pytest.mark.parametrize("order", list(permutations(ALL)), ids=" ".join)
def test_two_messages_at_once_are_never_mixed(order):
    found = join(pieces(" ".join(order)), NOW + SETTLE)
    assert found.whole == ()
    assert len(found.given_up) == 4


# With one of the four lost, and no time between them, a mixture looks in these orders as a message does in others. They
# need a part that is lost and one that overtakes another, within two seconds, and around a restart.
THREE = [order for some in combinations(ALL, 3) for order in permutations(some)]
UNKNOWABLE = {"B2 B1 A2", "A2 A1 B2", "B1 A1 B2", "A1 B1 A2"}


@pytest.mark.parametrize("order", THREE, ids=" ".join)
def test_with_one_part_lost_a_message_is_whole_or_nothing(order):
    said = told(pieces(" ".join(order)), NOW + SETTLE)
    if " ".join(order) not in UNKNOWABLE:
        assert set(said) <= {"A1A2", "B1B2"}
    if " ".join(order) in ("A1 B1 B2", "A2 B1 B2"):
        assert said == ["B1B2"]


@pytest.mark.parametrize("order", list(permutations(["A1/3", "A2/3", "A3/3"])), ids=" ".join)
def test_one_message_is_whole_in_any_order(order):
    assert told(pieces(" ".join(order)), NOW + SETTLE) == ["A1A2A3"]


@pytest.mark.parametrize(("said", "whole"), [("A1/3 B1 B2", ["B1B2"]), ("A1/3 A2/3 B1 A3/3 B2", [])])
def test_another_total_is_another_message(said, whole):
    assert told(pieces(said), NOW + SETTLE) == whole


def test_a_whole_message_waits_as_long_as_its_parts_were_apart():
    """The second may be of a message that began after a restart, and whose other part is on its way."""
    slow = pieces("A2 B1", gaps={1: 20})
    came = slow[-1].came_at
    assert join(slow, came + SETTLE).due_at == came + timedelta(seconds=20)
    assert told(slow, came + timedelta(seconds=20)) == ["B1A2"]
    more = pieces("A2 B1 B2", gaps={1: 20, 2: 4})
    assert told(more, more[-1].came_at + timedelta(seconds=4)) == ["B1B2"]


def test_a_pause_within_a_run_says_that_it_is_none():
    assert told(pieces("A1 A2 B2", gaps={2: 5}), NOW + timedelta(minutes=1)) == []
    more = pieces("B1 A1 B2", gaps={1: 3, 2: 5})
    assert told(more, NOW + timedelta(minutes=1)) == []
    assert told(pieces("A1 B1 B2", gaps={1: 5, 2: 3}), NOW + timedelta(minutes=1)) == ["B1B2"]


def test_parts_that_are_far_apart_are_of_two_messages():
    far = pieces("A2 B1", gaps={1: SPAN.total_seconds()})
    found = join(far, far[-1].came_at)
    assert (found.whole, found.given_up) == ((), (far[0],))
    assert join(far, far[-1].came_at + SPAN).given_up == tuple(far)


def test_what_may_still_become_whole_waits():
    found = join(pieces("A1 B1"), NOW + SETTLE)
    assert (found.whole, found.given_up, found.due_at) == ((), (), NOW + SPAN)

"""Rooms above hear what happens below, once each, with ids alone."""

from __future__ import annotations

from collections.abc import Sequence

from live.listeners import Listeners


def test_each_room_hears_once_and_nothing_is_told_of_nothing() -> None:
    heard: list[tuple[str, list[int]]] = []

    def by(name: str):
        def listener(ids: Sequence[int]) -> None:
            heard.append((name, list(ids)))

        return listener

    event = Listeners()
    event.register("one", by("one"))
    event.register("two", by("two"))
    event.register("one", by("one again"))
    event.tell(iter([7, 8]))
    event.tell([])
    assert heard == [("one again", [7, 8]), ("two", [7, 8])]

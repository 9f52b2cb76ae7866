"""Who hears of something that happens in a room: rooms above it register, and the room knows none of them.

Registered in `ready` of an app, so that what is told does not depend on who was imported first. Not Django's signals:
one list for one kind of event, called in a stated moment, with ids and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

Listener = Callable[[Sequence[int]], None]
"""Called in the transaction of what happened; whatever leaves the process waits for the commit."""


class Listeners:
    """Of one kind of event."""

    def __init__(self) -> None:
        self._by_room: dict[str, Listener] = {}

    def register(self, room: str, listener: Listener) -> None:
        """One of each room; a second one takes the place of the first."""
        self._by_room[room] = listener

    def tell(self, ids: Iterable[int]) -> None:
        """These are what it happened to."""
        told = list(ids)
        if told:
            for listener in self._by_room.values():
                listener(told)

"""One space of message ids towards each peer, for all that is sent there (RFC 7252 section 4.4)."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable

SPACES = 4_096


class MessageIds:
    """Peers share a space by their hash: nothing has to be kept for a peer, and nothing grows.

    An id comes again after 65,536 messages to the peers of one space. Each begins where the dice said, as a restart
    must not repeat the ids of a moment ago.
    """

    def __init__(self, first: Iterable[int]) -> None:
        """`first`: a number of 16 bits for each space, drawn at random."""
        self._next = array("H", first)
        if not self._next:
            raise ValueError("there must be a space at least")

    def draw(self, peer: Hashable) -> int:
        """The id of the next message to `peer`."""
        space = hash(peer) % len(self._next)
        drawn = self._next[space]
        self._next[space] = drawn + 1 & 0xFFFF
        return drawn

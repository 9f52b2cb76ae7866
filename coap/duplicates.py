"""Which messages came before and what was answered (RFC 7252 section 4.5), bounded in time and number.

A message is a repetition when its peer, its message id and its bytes are the same: a device that starts anew begins
with any message id, and what it says then under another token is another message (leshan#697). Each peer has a bound
of its own, so that nobody's messages push out another's. Of all together those give way first whose loss changes
nothing: what was refused or only asked for is refused or told again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from coap.codes import CONTENT
from coap.message import RST

EXCHANGE_LIFETIME = 247.0
NON_LIFETIME = 145.0
"""How long a message id counts (RFC 7252 section 4.8.2), for confirmable messages and for the others."""
LIMIT = 600_000
"""The last repetition comes within 45 s (MAX_TRANSMIT_SPAN): enough for 12,000 messages a second."""
PEER_LIMIT = 256
REFUSED_LIMIT = 16_384
_REBUILT_ABOVE = 65_536
_CLIENT_ERROR = 0x80


class Seen:
    """One message; `answer` is None while its answer is being made."""

    __slots__ = ("answer", "digest", "ends_at", "is_kept", "mid", "peer")

    def __init__(self, peer: Hashable, mid: int, digest: int, ends_at: float) -> None:
        self.peer = peer
        self.mid = mid
        self.digest = digest
        self.ends_at = ends_at
        self.answer: bytes | None = None
        self.is_kept = True


class Duplicates:
    """The messages of all peers of one endpoint."""

    def __init__(
        self,
        *,
        limit: int = LIMIT,
        peer_limit: int = PEER_LIMIT,
        refused_limit: int = REFUSED_LIMIT,
        seconds: float = EXCHANGE_LIFETIME,
        non_seconds: float = NON_LIFETIME,
    ) -> None:
        self._limit = limit
        self._peer_limit = peer_limit
        self._refused_limit = refused_limit
        self._seconds = seconds
        self._non_seconds = non_seconds
        self._peers: dict[Hashable, dict[int, Seen]] = {}
        self._order: deque[Seen] = deque()
        self._refused: deque[Seen] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, peer: Hashable, mid: int, data: bytes, now: float) -> Seen | None:
        """The message that `data` repeats."""
        mids = self._peers.get(peer)
        if mids is None:
            return None
        seen = mids.get(mid)
        if seen is None or seen.digest != hash(data) or seen.ends_at <= now:
            return None
        return seen

    def begin(self, peer: Hashable, mid: int, data: bytes, is_confirmable: bool, now: float) -> Seen:
        """Remember that the answer to this message is being made; another one of this id is forgotten."""
        order = self._order
        while order and (not order[0].is_kept or order[0].ends_at <= now):
            self._drop(order.popleft())
        mids = self._peers.get(peer)
        if mids is not None:
            if mid in mids:
                self._drop(mids[mid])
            elif len(mids) >= self._peer_limit:
                self._drop(mids[next(iter(mids))])
        while self._count >= self._limit:
            self._drop(order.popleft())
        if len(order) > _REBUILT_ABOVE and len(order) > 2 * self._count:
            self._order = order = deque(seen for seen in order if seen.is_kept)
        ends_at = now + (self._seconds if is_confirmable else self._non_seconds)
        seen = Seen(peer, mid, hash(data), ends_at)
        self._peers.setdefault(peer, {})[mid] = seen
        order.append(seen)
        self._count += 1
        return seen

    def keep(self, seen: Seen, answer: bytes) -> None:
        """What was answered, for as long as the message counts."""
        if not seen.is_kept:
            return
        seen.answer = answer
        if answer[1] >= _CLIENT_ERROR or answer[1] == CONTENT or answer[0] >> 4 & 3 == RST:
            self._refused.append(seen)
            if len(self._refused) > self._refused_limit:
                self._drop(self._refused.popleft())

    def forget(self, seen: Seen) -> None:
        """Its repetition is a new message: nothing was stored for this one."""
        self._drop(seen)

    def drop(self, peer: Hashable) -> None:
        """The peer is gone."""
        for seen in list(self._peers.get(peer, {}).values()):
            self._drop(seen)

    def _drop(self, seen: Seen) -> None:
        if not seen.is_kept:
            return
        seen.is_kept = False
        self._count -= 1
        mids = self._peers[seen.peer]
        del mids[seen.mid]
        if not mids:
            del self._peers[seen.peer]
        seen.peer = seen.answer = None  # its place in the queues outlasts it

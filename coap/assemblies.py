"""Puts requests together that come in blocks (RFC 7959, Block1), bounded in size, number and time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from coap.codes import BAD_REQUEST, CONTINUE, INCOMPLETE, TOO_LARGE
from coap.requests import Asked

MAX_REQUEST_BYTES = 196_608
"""Of one request, where nobody says otherwise."""
PEER_OPEN = 4
"""More than so many at once of one peer push out its own oldest, never another's."""
MAX_OPEN = 4_096
MAX_ALL_BYTES = 8_388_608
"""Of all together, once for those with one block and once for those that went on: a few large object lists of gateways,
and no more from whoever begins and never ends."""
SECONDS = 93.0


@dataclass(slots=True)
class _Open:
    peer: Hashable
    payload: bytearray
    touched_at: float


class _Shelf:
    """Some of them, the longest untouched first."""

    def __init__(self) -> None:
        self.by_key: OrderedDict[Hashable, _Open] = OrderedDict()
        self.bytes = 0

    def put(self, key: Hashable, one: _Open) -> None:
        self.by_key[key] = one
        self.bytes += len(one.payload)

    def pop(self, key: Hashable) -> _Open | None:
        one = self.by_key.pop(key, None)
        if one is not None:
            self.bytes -= len(one.payload)
        return one

    def is_over(self) -> bool:
        return len(self.by_key) > MAX_OPEN or self.bytes > MAX_ALL_BYTES


class Assemblies:
    """Requests on their way in. Where there are too many the longest untouched gives way.

    Those that have their first block alone are kept apart: anybody can send one from any address, and however many do,
    whoever went on with a second one is not pushed out.
    """

    def __init__(self, *, seconds: float = SECONDS, limit: int = MAX_REQUEST_BYTES) -> None:
        self._seconds = seconds
        self._limit = limit
        self._begun = _Shelf()
        self._going = _Shelf()
        self._peers: dict[Hashable, OrderedDict[Hashable, None]] = {}

    def __len__(self) -> int:
        return len(self._begun.by_key) + len(self._going.by_key)

    def feed(self, asked: Asked, now: float) -> int | None:
        """The code to answer a block with; None once the last one came, when `asked` has the whole payload."""
        block, payload = asked.block1, asked.payload
        assert block is not None
        key = (asked.peer, asked.code, asked.path, asked.query, asked.content_format)
        self._drop_old(now)
        if block.number == 0:
            self._take(key)
            if not block.more:
                return None
            known: _Open | None = _Open(asked.peer, bytearray(), now)
        else:
            known = self._begun.by_key.get(key) or self._going.by_key.get(key)
        if known is None or block.start != len(known.payload):
            return INCOMPLETE
        if block.more and not block.is_filled_by(len(payload)):
            return BAD_REQUEST
        self._take(key)
        if len(known.payload) + len(payload) > self._limit:
            return TOO_LARGE
        known.payload += payload
        if not block.more:
            asked.payload = bytes(known.payload)
            return None
        known.touched_at = now
        self._put(key, known, self._going if block.number else self._begun)
        return CONTINUE

    def drop(self, peer: Hashable) -> None:
        """The peer is gone."""
        for key in list(self._peers.get(peer, ())):
            self._take(key)

    def _put(self, key: Hashable, one: _Open, shelf: _Shelf) -> None:
        own = self._peers.setdefault(one.peer, OrderedDict())
        own[key] = None
        if len(own) > PEER_OPEN:
            self._take(next(iter(own)))
        shelf.put(key, one)
        while shelf.is_over():
            self._take(next(iter(shelf.by_key)))

    def _take(self, key: Hashable) -> _Open | None:
        one = self._begun.pop(key) or self._going.pop(key)
        if one is not None:
            own = self._peers[one.peer]
            del own[key]
            if not own:
                del self._peers[one.peer]
        return one

    def _drop_old(self, now: float) -> None:
        for shelf in (self._begun, self._going):
            while shelf.by_key:
                key, oldest = next(iter(shelf.by_key.items()))
                if oldest.touched_at + self._seconds > now:
                    break
                self._take(key)

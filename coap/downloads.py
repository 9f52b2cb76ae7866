"""Answers that are fetched in blocks (RFC 7959, Block2), kept until the last block left, and bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from hashlib import blake2b

from coap.blocks import Block
from coap.message import Response
from coap.requests import Asked

PEER_OPEN = 4
"""More than so many at once of one peer push out its own oldest."""
MAX_ALL_BYTES = 8_388_608
ETAG_LENGTH = 4


@dataclass(slots=True)
class _Kept:
    peer: Hashable
    body: bytes
    response: Response
    touched_at: float


class Downloads:
    """Of all together the longest untouched give way. One that is not kept any more is asked for anew."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._peers: dict[Hashable, OrderedDict[Hashable, None]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def part(self, asked: Asked, exponent: int, now: float) -> Response | None:
        """The block that is asked for of an answer that is kept; None if there is none."""
        self._drop_old(now)
        wished = asked.block2
        key = _key(asked)
        known = self._kept.get(key)
        if wished is None or known is None or (asked.payload and asked.payload != known.body):
            return None
        cut = block_of(known.response, wished, exponent)
        if cut is None or cut.block2 is None or not cut.block2.more:
            self._take(key)
        else:
            known.touched_at = now
            self._kept.move_to_end(key)
        return None if cut is None else replace(cut, observe=None)

    def keep(self, asked: Asked, response: Response, now: float) -> Response:
        """The rest of this answer will be fetched. Its tag tells it from what may be there later (section 2.4)."""
        if response.etag is None:
            response = replace(response, etag=blake2b(response.payload, digest_size=ETAG_LENGTH).digest())
        key = _key(asked)
        self._drop_old(now)
        self._take(key)
        own = self._peers.setdefault(asked.peer, OrderedDict())
        own[key] = None
        if len(own) > PEER_OPEN:
            self._take(next(iter(own)))
        self._kept[key] = _Kept(asked.peer, asked.payload, response, now)
        self._bytes += len(response.payload)
        while self._bytes > MAX_ALL_BYTES and len(self._kept) > 1:
            self._take(next(iter(self._kept)))
        return response

    def drop(self, peer: Hashable) -> None:
        """The peer is gone."""
        for key in list(self._peers.get(peer, ())):
            self._take(key)

    def _take(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        self._bytes -= len(kept.response.payload)
        own = self._peers[kept.peer]
        del own[key]
        if not own:
            del self._peers[kept.peer]

    def _drop_old(self, now: float) -> None:
        while self._kept:
            key, oldest = next(iter(self._kept.items()))
            if oldest.touched_at + self._seconds > now:
                return
            self._take(key)


def block_of(response: Response, wished: Block, exponent: int) -> Response | None:
    """A block of the answer, at most as large as is wished and as fits; None if there is no such block."""
    start = wished.start
    exponent = min(wished.exponent, exponent)
    size = 1 << (exponent + 4)
    payload = response.payload
    if start and start >= len(payload):
        return None
    block = Block(start // size, start + size < len(payload), exponent)
    return replace(response, payload=payload[start : start + size], block2=block)


def _key(asked: Asked) -> Hashable:
    """What the rest is asked for with; a FETCH may leave its payload out (RFC 7959 section 3.3)."""
    return (asked.peer, asked.code, asked.path, asked.query, asked.accept)

"""Puts requests together that come in blocks (RFC 7959, Block1), bounded in size, number and time.

Done here and not by aiocoap, whose spool has no bound but time: anybody may send first blocks from anywhere.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from lwm2m.codes import Code
from lwm2m.messages import Request, Response
from southbound.transports.coap import Block

MAX_BYTES = 196_608
MAX_OPEN = 256
MAX_ALL_BYTES = 8_388_608
"""Of all together: a few large object lists of gateways at once, and no more from whoever begins and never ends."""
SECONDS = 93.0


@dataclass(slots=True)
class _Open:
    payload: bytearray
    touched_at: float


class Assemblies:
    """Requests on their way in; the oldest gives way when there are too many."""

    def __init__(self, clock: Callable[[], float], *, seconds: float = SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._open: OrderedDict[Hashable, _Open] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._open)

    def feed(self, peer: Hashable, request: Request, block: Block) -> Request | Response:
        """The whole request once its last block is there, else what to answer to this block."""
        key = (peer, request.code, request.path, request.query, request.content_format)
        self._drop_old()
        if block.number == 0:
            self._drop(key)
            if not block.more:
                return request
            self._open[key] = _Open(bytearray(), self._clock())
            if len(self._open) > MAX_OPEN:
                self._drop(next(iter(self._open)))
        known = self._open.get(key)
        if known is None or block.number * block.size != len(known.payload):
            return Response(Code.REQUEST_ENTITY_INCOMPLETE)
        if block.more and len(request.payload) != block.size:
            return Response(Code.BAD_REQUEST)
        if len(known.payload) + len(request.payload) > MAX_BYTES:
            self._drop(key)
            return Response(Code.REQUEST_ENTITY_TOO_LARGE)
        known.payload += request.payload
        self._bytes += len(request.payload)
        if block.more:
            known.touched_at = self._clock()
            self._open.move_to_end(key)
            while self._bytes > MAX_ALL_BYTES:
                self._drop(next(iter(self._open)))
            return Response(Code.CONTINUE)
        self._drop(key)
        return replace(request, payload=bytes(known.payload))

    def _drop_old(self) -> None:
        now = self._clock()
        while self._open:
            key, oldest = next(iter(self._open.items()))
            if oldest.touched_at + self._seconds > now:
                return
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        known = self._open.pop(key, None)
        if known is not None:
            self._bytes -= len(known.payload)

"""Large payloads in blocks, for the requests that a server sends (`RFC 7959`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lwm2m.codes import Code
from lwm2m.messages import Request
from simulator.coap import DATAGRAM_SIZES, Answer, Block, Packet, Sizes

MAX_UPLOAD_BYTES = 4 * 1024 * 1024


class Blocks:
    """Puts the blocks of one request together and cuts one large answer up.

    A server has one request in flight towards a device (NSTART, `RFC 7252 section 4.7`), so one upload
    and one download are kept, not a table of them.
    """

    __slots__ = ("_download", "_download_of", "_serve", "_sizes", "_upload", "_upload_of")

    def __init__(self, serve: Callable[[Request, bytes], Answer], sizes: Sizes = DATAGRAM_SIZES) -> None:
        self._serve = serve
        self._sizes = sizes
        self._upload = bytearray()
        self._upload_of: object = None
        self._download: Answer | None = None
        self._download_of: object = None

    def answer(self, packet: Packet, request: Request) -> Answer:
        """Serve the request, or say what its block needs next."""
        if packet.block1 is not None:
            whole = self._assemble(packet.block1, request)
            if isinstance(whole, Answer):
                return whole
            answer = replace(self._serve(whole, packet.token), block1=packet.block1)
            return self._cut(answer, _topic(request), packet.block2)
        if packet.block2 is not None and packet.block2[0] > 0:
            return self._next_block(packet.block2, request, packet.token)
        return self._cut(self._serve(request, packet.token), _topic(request), packet.block2)

    def first_block(self, answer: Answer) -> Answer:
        """The part of a notification that fits one message; the server fetches the rest by GET."""
        return self._cut(answer, None, None)

    def _assemble(self, block: Block, request: Request) -> Request | Answer:
        number, more, exponent = block
        topic = (request.code, request.path, request.query, request.content_format)
        if number == 0:
            self._upload, self._upload_of = bytearray(), topic
        offset = number << (exponent + 4)
        if self._upload_of != topic or offset != len(self._upload):
            return Answer(Code.REQUEST_ENTITY_INCOMPLETE, block1=block)
        if offset + len(request.payload) > MAX_UPLOAD_BYTES:
            self._upload, self._upload_of = bytearray(), None
            return Answer(Code.REQUEST_ENTITY_TOO_LARGE, block1=block)
        self._upload += request.payload
        if more:
            return Answer(Code.CONTINUE, block1=block)
        payload, self._upload, self._upload_of = bytes(self._upload), bytearray(), None
        return replace(request, payload=payload)

    def _cut(self, answer: Answer, topic: object, wished: Block | None) -> Answer:
        exponent = self._sizes.exponent if wished is None else min(wished[2], self._sizes.exponent)
        whole = self._sizes.answer if wished is None else min(self._sizes.answer, 16 << wished[2])
        if len(answer.payload) <= whole:
            return answer
        self._download, self._download_of = answer, topic
        return _block_of(answer, 0, exponent)

    def _next_block(self, block: Block, request: Request, token: bytes) -> Answer:
        number, _, exponent = block
        # After a notification the topic is not known: its blocks are fetched by a plain GET of the path.
        whole = self._download if self._download_of in (None, _topic(request)) else None
        if whole is None:
            # Serve the GET anew, but never as a second observation: Observe belongs to block 0.
            whole = self._serve(replace(request, observe=None), token)
        if len(whole.payload) <= number << (exponent + 4):
            return Answer(Code.BAD_REQUEST, payload=b"there is no such block")
        return _block_of(replace(whole, observe=None, afterwards=None), number, exponent)


def _topic(request: Request) -> tuple[object, ...]:
    body = request.payload if request.code == Code.FETCH else b""
    return (request.code, request.path, request.query, request.accept, body)


def _block_of(answer: Answer, number: int, exponent: int) -> Answer:
    size = 16 << exponent
    start = number * size
    more = start + size < len(answer.payload)
    return replace(answer, payload=answer.payload[start : start + size], block2=(number, more, exponent))

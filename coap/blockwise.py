"""A request and its answer in as many messages as they need (RFC 7959): what to send first, and after each answer.

The request goes in Block1 where it does not fit, the answer is fetched in Block2. The peer may ask for smaller blocks
at any time; with 4.13 it asks to begin again with them (section 2.9.3), with 4.08 to begin again.
"""

from __future__ import annotations

from dataclasses import replace

from coap.blocks import BERT, Block
from coap.codes import CONTINUE, INCOMPLETE, TOO_LARGE
from coap.errors import Failed, Reason
from coap.message import Request, Response
from coap.options import BLOCK1, BLOCK2, OBSERVE, Option

MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_BEGINNINGS = 3
"""So often an answer is fetched from its first block on because it changed, or a request because it was incomplete."""
_SUCCESS = 2


class Transfer:
    """`first` gives the first message, `answered` the next one after each answer, or how it ended."""

    __slots__ = (
        "_answer",
        "_beginnings",
        "_body",
        "_code",
        "_etag",
        "_exponent",
        "_is_bert",
        "_request",
        "_sent",
        "_unsplit",
    )

    def __init__(
        self, request: Request, *, exponent: int, takes_bert: bool = False, unsplit_bytes: int = 0
    ) -> None:
        """`request` has the whole payload and no block options; `exponent` is of the largest blocks that fit.

        A payload of up to `unsplit_bytes` leaves whole, unless the peer asks for less.
        """
        self._unsplit = unsplit_bytes
        self._request = request
        self._exponent = exponent
        self._is_bert = takes_bert
        self._sent: Block | None = None
        self._answer: Response | None = None
        self._body = bytearray()
        self._code = 0
        self._etag: bytes | None = None
        self._beginnings = 0

    @property
    def is_fetching(self) -> bool:
        """The rest of the answer is asked for, under a token of its own and without Observe (section 3.4)."""
        return self._answer is not None

    def first(self) -> Request:
        return self._block1(0)

    def answered(self, response: Response) -> Request | Response | Failed:
        """The next message, the whole answer, or why there is none."""
        if self._answer is not None:
            return self._more(self._answer, response)
        if self._sent is None and response.code == CONTINUE:
            return _unreadable("2.31 Continue came, but nothing was sent in blocks")
        if response.code >> 5 != _SUCCESS:
            return self._smaller(response)
        if self._sent is not None:
            acknowledged = self._acknowledged(self._sent, response)
            if acknowledged is not None:
                return acknowledged
        return self._begun(response)

    # -- Block1 ----------------------------------------------------------------------------------------------
    def _block1(self, start: int) -> Request:
        """The message with what stands from `start` on."""
        payload, size = self._request.payload, 1 << (self._exponent + 4)
        if start == 0 and len(payload) <= max(size, self._unsplit):
            self._sent = None
            return self._request
        self._sent = block = Block(start // size, start + size < len(payload), self._exponent)
        options = _with(self._request.options, (BLOCK1, block.encode()))
        return replace(self._request, options=options, payload=payload[start : start + size])

    def _acknowledged(self, sent: Block, response: Response) -> Request | Failed | None:
        """A success that answers one block; None if it answers the whole."""
        said = response.block1
        if said is not None and said.number != sent.number:
            return _unreadable(f"block {said.number} was acknowledged where {sent.number} was sent")
        if not sent.more:
            return (
                _unreadable("2.31 Continue came after the last block") if response.code == CONTINUE else None
            )
        if said is None:
            # A peer that overlooked Block1 has done something with the first block alone (section 2.9.1).
            return _unreadable("the first part was answered as if it were the whole (no Block1)")
        start = sent.start + sent.size
        self._exponent = min(self._exponent, said.exponent)
        return self._block1(start)

    def _smaller(self, response: Response) -> Request | Response:
        """An error: the end, unless it says how it would work."""
        said, payload = response.block1, self._request.payload
        if response.code == TOO_LARGE and said is not None and said.exponent < self._exponent:
            self._exponent, self._unsplit = said.exponent, 0
            return self._block1(0)
        if response.code == INCOMPLETE and len(payload) > 1 << (self._exponent + 4) and self._may_begin():
            if said is not None:
                self._exponent = min(self._exponent, said.exponent)
            return self._block1(0)
        return response

    def _may_begin(self) -> bool:
        self._beginnings += 1
        return self._beginnings < MAX_BEGINNINGS

    # -- Block2 ----------------------------------------------------------------------------------------------
    def _begun(self, response: Response) -> Request | Response | Failed:
        """The first answer to the whole request: all of the answer, or its first block."""
        block = response.block2
        if block is None:
            return response
        if block.number:
            return _unreadable(f"the answer began with block {block.number}")
        self._answer, self._code, self._etag = response, response.code, response.etag
        return self._taken(block, response)

    def _more(self, before: Response, response: Response) -> Request | Response | Failed:
        block = response.block2
        if response.code >> 5 != _SUCCESS:
            return response
        if block is None:
            return _unreadable(
                "a part of the answer was asked for, and something came that is no part (no Block2)"
            )
        if response.code != self._code:
            return _unreadable("the parts of the answer have different codes")
        if response.etag is not None and self._etag is not None and response.etag != self._etag:
            return self._anew(before, block, response)
        return self._taken(block, response)

    def _anew(self, before: Response, block: Block, response: Response) -> Request | Response | Failed:
        """The answer is another one meanwhile (section 2.4): fetch that from its beginning."""
        if not self._may_begin():
            return _unreadable("the answer changed again and again while it was fetched")
        self._body.clear()
        self._answer, self._etag = replace(response, observe=before.observe), response.etag
        if block.number == 0:
            return self._taken(block, response)
        return self._block2(Block(0, False, min(self._exponent, block.exponent)))

    def _taken(self, block: Block, response: Response) -> Request | Response | Failed:
        payload, size = response.payload, block.size
        if block.exponent == BERT and not self._is_bert:
            return _unreadable("a block of the reserved size 7")
        if block.start != len(self._body):
            return _unreadable(
                f"bytes from {block.start} on came where those from {len(self._body)} on were asked for"
            )
        if block.more and (
            len(payload) % size or not payload or (block.exponent != BERT and len(payload) != size)
        ):
            return _unreadable(f"a block of {len(payload)} bytes where one of {size} was announced")
        if not block.more and block.exponent != BERT and len(payload) > size:
            return _unreadable(f"a block of {len(payload)} bytes where one of {size} was announced")
        if len(self._body) + len(payload) > MAX_ANSWER_BYTES:
            return _unreadable(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
        self._body += payload
        if block.more:
            exponent = min(self._exponent, block.exponent)
            return self._block2(Block(len(self._body) >> (exponent + 4), False, exponent))
        assert self._answer is not None
        return replace(self._answer, payload=bytes(self._body), block1=None, block2=None)

    def _block2(self, block: Block) -> Request:
        """The rest is asked for without the payload of the request, which the peer has (section 3.3)."""
        options = tuple(option for option in self._request.options if option[0] != OBSERVE)
        return replace(self._request, options=_with(options, (BLOCK2, block.encode())), payload=b"")


def _with(options: tuple[Option, ...], added: Option) -> tuple[Option, ...]:
    return tuple(sorted((*options, added), key=lambda option: option[0]))


def _unreadable(detail: str) -> Failed:
    return Failed(Reason.UNREADABLE, f"The transfer in blocks made no sense: {detail}.")

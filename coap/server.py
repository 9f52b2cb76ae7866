"""The half of an endpoint that answers: requests in, as a whole and once each; answers and notifications out.

Repetitions, blocks and what cannot be understood are dealt with here (RFC 7252 sections 4.2, 4.5 and 5.4, RFC 7959).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from coap.assemblies import MAX_REQUEST_BYTES, Assemblies
from coap.blocks import BERT, Block
from coap.codes import BAD_OPTION, BAD_REQUEST, TOO_LARGE
from coap.deliveries import Deliveries, Delivery
from coap.downloads import Downloads, block_of
from coap.duplicates import Duplicates
from coap.errors import Failed, Malformed
from coap.events import Continued, Delivered, Refused, Rejected, Repeated
from coap.message import ACK, CON, NON, RST, Response, empty, write_response
from coap.message_ids import MessageIds
from coap.output import Output
from coap.requests import Asked, Fault, Unacceptable, read_request
from coap.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: of a message that is read at all, and of a request in all its blocks."""

    message_bytes: int = 4096
    request_bytes: int = MAX_REQUEST_BYTES


class Server:
    """See `Endpoint`, which it is a half of."""

    def __init__(
        self,
        *,
        tuning: Tuning,
        limits: Limits,
        duplicates: Duplicates,
        dice: Callable[[float, float], float],
        message_ids: MessageIds,
        exponent_of: Callable[[Hashable], int],
        output: Output,
    ) -> None:
        self.tuning = tuning
        self.limits = limits
        self.duplicates = duplicates
        self.assemblies = Assemblies(seconds=tuning.patience, limit=limits.request_bytes)
        self.downloads = Downloads(seconds=tuning.exchange_seconds)
        self.deliveries = Deliveries(
            tuning=tuning,
            dice=dice,
            transmit=self._transmit,
            tell=lambda delivery, failed: output.events.append(Delivered(delivery, failed)),
        )
        self._message_ids = message_ids
        self._exponent_of = exponent_of
        self._output = output
        self._largest_exponent = BERT if tuning.is_reliable else tuning.block_exponent

    # -- in --------------------------------------------------------------------------------------------------
    def receive(self, kind: int, data: bytes, token_end: int, peer: Hashable, now: float) -> None:
        """A request, CON or NON, whose token is whole."""
        mid = data[2] << 8 | data[3]
        is_stream = self.tuning.is_reliable
        if not is_stream and self.is_repeated(kind, data, peer, mid, now):
            return
        asked = Asked(peer, data[1], kind == CON, mid, data[4:token_end], data)
        try:
            if len(data) > self.limits.message_bytes:
                raise Unacceptable(TOO_LARGE, "The datagram is too large; use Block1.", Fault.SIZE)
            read_request(asked, token_end, takes_bert=is_stream)
        except Malformed as error:
            self.reject(kind, data, peer, str(error))
            return
        except Unacceptable as error:
            self._refuse(asked, error, now)
            return
        if not is_stream:  # a stream repeats nothing, and its numbers come again
            asked.seen = self.duplicates.begin(peer, mid, data, asked.confirmable, now)
        if asked.block1 is None and asked.block2 is None:
            self._output.events.append(asked)
        else:
            self._part(asked, now)

    def is_repeated(self, kind: int, data: bytes, peer: Hashable, mid: int, now: float) -> bool:
        """Whether this message came before; a confirmable one gets the same answer again."""
        seen = self.duplicates.find(peer, mid, data, now)
        if seen is None:
            return False
        if seen.answer is not None and kind == CON:
            self._transmit(peer, seen.answer)
        self._output.events.append(Repeated(peer))
        return True

    def reject(self, kind: int, data: bytes, peer: Hashable, detail: str) -> None:
        """Throw a message away that makes no sense (RFC 7252 section 4.2).

        A client that tries a longer token learns by the reset that it cannot (RFC 8974 section 2.2.2).
        """
        if kind == CON:
            self._transmit(peer, empty(RST, data[2] << 8 | data[3]))
        self._output.events.append(Rejected(peer, detail))

    def _refuse(self, asked: Asked, error: Unacceptable, now: float) -> None:
        self._output.events.append(Refused(asked.peer, error.code, error.fault, str(error)))
        if not asked.confirmable and error.code == BAD_OPTION:
            return  # rejected, which is silence here (RFC 7252 sections 4.3 and 5.4.1)
        if not self.tuning.is_reliable:
            asked.seen = self.duplicates.begin(asked.peer, asked.mid, asked.data, asked.confirmable, now)
        self.answer(asked, error.code, now=now)

    def _part(self, asked: Asked, now: float) -> None:
        """A request of which this may be one block, or one that asks for a block of its answer."""
        if asked.block1 is not None:
            code = self.assemblies.feed(asked, now)
            if code is not None:
                self.answer(asked, code, now=now)
                self._output.events.append(Continued(asked.peer))
                return
        elif asked.block2 is not None and asked.block2.number:
            part = self.downloads.part(asked, self._exponent_of(asked.peer), now)
            if part is not None:
                self._answer(asked, part, now, is_final=True)
                self._output.events.append(Continued(asked.peer))
                return
            asked.observe = None  # it belongs to the first block (RFC 7959 section 3.4)
        self._output.events.append(asked)

    # -- out -------------------------------------------------------------------------------------------------
    def acknowledge(self, asked: Asked) -> None:
        if asked.is_acknowledged or not asked.confirmable or self.tuning.is_reliable:
            return
        asked.is_acknowledged = True
        data = empty(ACK, asked.mid)
        if asked.seen is not None:
            self.duplicates.keep(asked.seen, data)
        self._transmit(asked.peer, data)

    def answer(
        self,
        asked: Asked,
        code: int,
        *,
        now: float,
        payload: bytes = b"",
        content_format: int | None = None,
        location: tuple[str, ...] = (),
        max_age: int | None = None,
        observe: int | None = None,
        etag: bytes | None = None,
        is_final: bool = True,
        tag: Any = None,
    ) -> Delivery | None:
        """See `Endpoint.answer`."""
        if (
            asked.block1 is not None
            or asked.block2 is not None
            or asked.is_acknowledged
            or not asked.confirmable
            or code == TOO_LARGE
            or (payload and len(payload) > self._whole(asked.peer))
        ):
            response = Response(code, payload, content_format, location, observe, max_age, etag)
            return self._answer(asked, self._cut(asked, response, now), now, is_final=is_final, tag=tag)
        token, mid = asked.token, asked.mid
        if payload or location or (content_format, max_age, observe, etag) != _NOTHING:
            data = write_response(
                ACK,
                mid,
                token,
                code,
                payload,
                content_format=content_format,
                location=location,
                max_age=max_age,
                observe=observe,
                etag=etag,
            )
        else:  # the answer to most of what devices say: a code alone
            data = bytes((0x60 | len(token), code, mid >> 8, mid & 0xFF)) + token
        if asked.seen is not None:
            if is_final:
                self.duplicates.keep(asked.seen, data)
            else:
                self.duplicates.forget(asked.seen)
        self._transmit(asked.peer, data)
        return None

    def _answer(
        self, asked: Asked, response: Response, now: float, *, is_final: bool, tag: Any = None
    ) -> Delivery | None:
        block = asked.block1
        if response.code == TOO_LARGE:  # RFC 7252 section 5.9.2.9, RFC 7959 section 2.9.3
            block = block or Block(0, True, self.tuning.block_exponent)
            response = replace(response, size1=self.limits.request_bytes)
        if block is not None:
            if block.exponent > self._largest_exponent:  # smaller ones from here on, please
                block = replace(block, exponent=self._largest_exponent)
            response = replace(response, block1=block)
        if asked.confirmable and not asked.is_acknowledged:
            data = response.encode(ACK, asked.mid, asked.token)
            if asked.seen is not None:
                if is_final:
                    self.duplicates.keep(asked.seen, data)
                else:
                    self.duplicates.forget(asked.seen)
            self._transmit(asked.peer, data)
            return None
        delivery = self._deliver(asked, response, now, is_confirmable=asked.confirmable, tag=tag)
        if asked.seen is not None:
            if not is_final:
                self.duplicates.forget(asked.seen)
            elif not asked.confirmable:  # never sent again, but the code says how long it is worth keeping
                self.duplicates.keep(asked.seen, delivery.data)
        return delivery

    def notify(
        self, asked: Asked, response: Response, *, now: float, confirmable: bool, tag: Any
    ) -> Delivery:
        """See `Endpoint.notify`."""
        fits = len(response.payload) <= self._whole(asked.peer)
        if not fits:
            response = self.downloads.keep(asked, response, now)
            response = block_of(response, _FIRST, self._exponent_of(asked.peer)) or response
        return self._deliver(asked, response, now, is_confirmable=confirmable, tag=tag)

    def _deliver(
        self, asked: Asked, response: Response, now: float, *, is_confirmable: bool, tag: Any
    ) -> Delivery:
        mid = self._message_ids.draw(asked.peer)
        data = response.encode(CON if is_confirmable else NON, mid, asked.token)
        delivery = Delivery(asked.peer, mid, data, tag)
        self.deliveries.send(delivery, now, is_confirmable=is_confirmable)
        return delivery

    def _cut(self, asked: Asked, response: Response, now: float) -> Response:
        """The part of the answer that was asked for and fits; the rest is kept (RFC 7959 section 2.4)."""
        wished, exponent = asked.block2 or _FIRST, self._exponent_of(asked.peer)
        whole = self._whole(asked.peer)
        if asked.block2 is not None:
            whole = min(whole, wished.size)
        if len(response.payload) <= whole and not wished.number:
            return response
        cut = block_of(response, wished, exponent)
        if cut is None:
            return Response(BAD_REQUEST)
        if cut.block2 is not None and cut.block2.more:
            kept = self.downloads.keep(asked, response, now)
            cut = replace(cut, etag=kept.etag)
        return cut if not wished.number else replace(cut, observe=None)

    def _whole(self, peer: Hashable) -> int:
        """Bytes of an answer that go into one message."""
        return max(self.tuning.unsplit_answer_bytes, 1 << (self._exponent_of(peer) + 4))

    def drop(self, peer: Hashable, failed: Failed) -> None:
        """Nothing is left of the peer."""
        self.deliveries.drop(peer, failed)
        self.assemblies.drop(peer)
        self.downloads.drop(peer)
        self.duplicates.drop(peer)

    def _transmit(self, peer: Hashable, data: bytes) -> None:
        self._output.sent.append((peer, data))


_NOTHING = (None, None, None, None)
_FIRST = Block(0, False, BERT)

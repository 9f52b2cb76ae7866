"""All CoAP of one place: what its peers ask and are answered, and what they are asked (RFC 7252, 7641, 7959, 8323).

One object owns all state of a peer: its message ids, what it said lately, what is on its way to or from it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from coap.calls import Call
from coap.client import Client
from coap.codes import RESPONSES
from coap.deliveries import Delivery
from coap.duplicates import Duplicates
from coap.errors import Failed, Malformed, Reason
from coap.events import Empty, Notified
from coap.message import ACK, CON, NON, RST, Request, Response, empty, read_response
from coap.message_ids import MessageIds
from coap.output import Output
from coap.requests import Asked
from coap.server import Limits, Server
from coap.tuning import Tuning

AROUND_A_BLOCK = 128
"""What header, token and options may take beside a payload: as RFC 7252 section 4.6 reckons with 1,152 for 1,024."""


class Endpoint:
    """`dice(low, high)` draws a number between, `draw_token()` a token that nobody can guess.

    `room(peer)` is how many bytes a message to this peer may have, where that is less than its blocks would take.
    `observes` is whether notifications are wanted here; else they are rejected.

    Nothing raises for what a peer sends. After any call `take_sent` has datagrams for `(peer, data)`, in this order,
    and `take_events` what happened. Messages of a stream (`tuning.is_reliable`) are given in the form that they would
    have as datagrams, see `coap.stream`.
    """

    def __init__(
        self,
        *,
        dice: Callable[[float, float], float],
        draw_token: Callable[[], bytes],
        message_ids: MessageIds,
        tuning: Tuning | None = None,
        limits: Limits | None = None,
        duplicates: Duplicates | None = None,
        room: Callable[[Hashable], int] | None = None,
        observes: bool = True,
    ) -> None:
        self.tuning = tuning or Tuning()
        self.observes = observes
        self._room = room
        self._output = output = Output()
        self._message_ids = message_ids
        if duplicates is None:
            duplicates = Duplicates(
                seconds=self.tuning.exchange_seconds, non_seconds=self.tuning.unconfirmed_seconds
            )
        self.duplicates = duplicates
        self._client = Client(dice=dice, draw_token=draw_token, message_ids=message_ids, output=output)
        self._server = Server(
            tuning=self.tuning,
            limits=limits or Limits(),
            duplicates=self.duplicates,
            dice=dice,
            message_ids=message_ids,
            exponent_of=self.block_exponent_of,
            output=output,
        )
        self.take_sent = output.take_sent
        self.take_events = output.take_events

    def __len__(self) -> int:
        """How many requests of ours are on their way or wait for their turn."""
        return len(self._client)

    # -- in --------------------------------------------------------------------------------------------------
    def receive(self, data: bytes, peer: Hashable, now: float) -> None:
        """One datagram."""
        server = self._server
        length = len(data)
        if length < 4 or data[0] >> 6 != 1:  # nothing that could be answered (RFC 7252 section 3)
            server.reject(NON, data, peer, "no CoAP message")
            return
        kind = data[0] >> 4 & 3
        code = data[1]
        token_end = 4 + (data[0] & 15)
        if token_end > 12 or length < token_end:
            server.reject(kind, data, peer, "a token of more than 8 bytes, or cut off")
        elif code == 0:
            self._empty(kind, data, peer, now)
        elif code < 0x20 and kind <= NON:
            server.receive(kind, data, token_end, peer, now)
        elif code >> 5 in RESPONSES and kind != RST:
            self._response(kind, data, peer, now)
        else:
            server.reject(kind, data, peer, "a reserved code, or one that its type cannot have")

    def _empty(self, kind: int, data: bytes, peer: Hashable, now: float) -> None:
        if len(data) != 4:
            self._server.reject(kind, data, peer, "an empty message with something in it")
        elif kind == CON:  # a CoAP ping (RFC 7252 section 4.3)
            self._output.sent.append((peer, empty(RST, data[2] << 8 | data[3])))
        elif kind != NON:
            self._output.events.append(Empty(peer))
            if self._client.receive(peer, data, now) is None:
                self._server.deliveries.receive(peer, kind, data[2] << 8 | data[3], now)

    def _response(self, kind: int, data: bytes, peer: Hashable, now: float) -> None:
        """An answer or a notification. A confirmable one that comes again gets the same ACK or reset again."""
        seen = None
        mid = data[2] << 8 | data[3]
        if kind != ACK and not self.tuning.is_reliable:
            if self._server.is_repeated(kind, data, peer, mid, now):
                return
            seen = self.duplicates.begin(peer, mid, data, kind == CON, now)
        heard = self._client.receive(peer, data, now)
        if heard is not None:
            if heard.reply is not None and seen is not None:
                self.duplicates.keep(seen, heard.reply)
            return
        if kind == ACK:
            return  # to something that nobody waits for any more
        try:
            response = read_response(data)
        except Malformed as error:
            if seen is not None:
                self.duplicates.keep(seen, empty(RST, mid))
            self._server.reject(kind, data, peer, str(error))
            return
        token = data[4 : 4 + (data[0] & 15)]
        notified = Notified(peer, kind == CON, mid, token, response, seen)
        if self.observes:
            self._output.events.append(notified)
        elif kind == CON:
            self.reject(notified)
        else:
            self.forget(notified)

    def knows(self, data: bytes, peer: Hashable, now: float) -> bool:
        """Whether a message belongs to what is said here already: several endpoints may share an address."""
        if len(data) < 4 or data[0] >> 6 != 1 or len(data) < 4 + (data[0] & 15):
            return False
        mid = data[2] << 8 | data[3]
        if data[0] >> 4 & 3 in (ACK, RST):
            return self._client.awaits(peer, data) or self._server.deliveries.awaits(peer, mid)
        is_response = data[1] >> 5 in RESPONSES
        return self.duplicates.find(peer, mid, data, now) is not None or (
            is_response and self._client.awaits(peer, data)
        )

    # -- what peers ask --------------------------------------------------------------------------------------
    def acknowledge(self, asked: Asked) -> None:
        """Its answer will take longer: the peer need not repeat itself, and `answer` sends a message of its own."""
        self._server.acknowledge(asked)

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
        """Answer a request, once; a long payload in blocks. `observe` tells the peer that it observes now.

        `is_final` false when a repetition of the request shall be tried anew. An answer that is a message of its own
        is a `Delivery`, whose `Delivered` follows if the request was confirmable.
        """
        return self._server.answer(
            asked,
            code,
            now=now,
            payload=payload,
            content_format=content_format,
            location=location,
            max_age=max_age,
            observe=observe,
            etag=etag,
            is_final=is_final,
            tag=tag,
        )

    def notify(
        self, asked: Asked, response: Response, *, now: float, confirmable: bool, tag: Any = None
    ) -> Delivery:
        """Tell the peer what it observes; `asked` is the request that it observes with.

        A confirmable notification ends as `Delivered`; of one that is not, only a reset is told.
        """
        return self._server.notify(asked, response, now=now, confirmable=confirmable, tag=tag)

    # -- what is asked of peers ------------------------------------------------------------------------------
    def request(
        self,
        peer: Hashable,
        request: Request,
        *,
        now: float,
        tuning: Tuning | None = None,
        token: bytes | None = None,
        ends_at: float | None = None,
        tag: Any = None,
    ) -> Call:
        """Ask `peer`, now or as soon as it has answered what it was asked before; `Finished` tells the outcome.

        `token` is that of all messages with a part of the request: the peer observes under it. `ends_at` is when
        whoever asks has no time any more, even if parts of the answer still come.
        """
        return self._client.request(
            peer,
            request,
            tuning=tuning or self.tuning,
            exponent=self.block_exponent_of(peer),
            now=now,
            token=token,
            ends_at=ends_at,
            tag=tag,
        )

    def cancel(self, call: Call, now: float) -> None:
        """Nobody wants the answer any more: nothing is repeated, and the next one leaves. There is no event of it."""
        self._client.cancel(call, now)

    def accept(self, notified: Notified) -> None:
        """Acknowledge it, if it wants that."""
        if notified.is_confirmable:
            self._settle(notified, ACK)

    def reject(self, notified: Notified) -> None:
        """A reset: nobody wants this, which ends the observation at the peer (RFC 7641 section 3.6)."""
        self._settle(notified, RST)

    def forget(self, notified: Notified) -> None:
        """It could not be kept: its repetition is a new attempt."""
        if notified.seen is not None:
            self.duplicates.forget(notified.seen)

    def _settle(self, notified: Notified, kind: int) -> None:
        data = empty(kind, notified.mid)
        if notified.seen is not None:
            self.duplicates.keep(notified.seen, data)
        self._output.sent.append((notified.peer, data))

    def ping(self, peer: Hashable) -> None:
        """Whoever is there answers with a reset (RFC 7252 section 4.3), which is `Empty`."""
        self._output.sent.append((peer, empty(CON, self._message_ids.draw(peer))))

    # -- the peer and the time -------------------------------------------------------------------------------
    def block_exponent_of(self, peer: Hashable) -> int:
        """The largest blocks for this peer, which may take short ones only (RFC 6066 section 4, RFC 8323 5.3.1)."""
        if self._room is None:
            return self.tuning.block_exponent
        room = max(16, self._room(peer) - AROUND_A_BLOCK)
        return min(self.tuning.block_exponent, room.bit_length() - 5)

    def fail(self, peer: Hashable, failed: Failed, now: float) -> None:
        """The way to the peer takes nothing now: all that waits for an answer or an acknowledgement ends."""
        self._client.fail(peer, failed, now)
        self._server.deliveries.fail(peer, failed)

    def drop(self, peer: Hashable, detail: str, now: float) -> None:
        """The peer is gone, and nothing is left of it."""
        failed = Failed(Reason.GONE, detail)
        self._client.fail(peer, failed, now)
        self._server.drop(peer, failed)

    def fail_all(self, failed: Failed, now: float) -> None:
        """Everything ends."""
        self._client.fail_all(failed, now)
        self._server.deliveries.fail_all(failed)

    def next_timer(self) -> float | None:
        """When `handle_timer` has something to do, if nothing is heard before."""
        asking, answering = self._client.next_timer(), self._server.deliveries.next_timer()
        if asking is None or answering is None:
            return answering if asking is None else asking
        return min(asking, answering)

    def handle_timer(self, now: float) -> None:
        self._client.handle_timer(now)
        self._server.deliveries.handle_timer(now)

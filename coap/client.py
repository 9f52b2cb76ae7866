"""All that is asked of all peers: one message at a time to each (NSTART=1, RFC 7252 section 4.7), the rest in a queue.

Every call of a method may leave datagrams and events in the `Output`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from coap.blockwise import Transfer
from coap.calls import Call
from coap.errors import Failed, Reason
from coap.events import Finished, Progress
from coap.exchanges import Exchange, Heard
from coap.message import Request, Response
from coap.message_ids import MessageIds
from coap.output import Output
from coap.timers import Timers
from coap.tuning import ACK_RANDOM_FACTOR, Tuning


class Client:
    """`dice(low, high)` draws a number between, `draw_token()` a token that nobody can guess."""

    def __init__(
        self,
        *,
        dice: Callable[[float, float], float],
        draw_token: Callable[[], bytes],
        message_ids: MessageIds,
        output: Output,
    ) -> None:
        self._dice = dice
        self._draw_token = draw_token
        self._message_ids = message_ids
        self._open: dict[Hashable, Call] = {}
        self._queued: dict[Hashable, deque[Call]] = {}
        self._timers = Timers(_is_due)
        self._output = output

    def __len__(self) -> int:
        """How many calls are on their way or wait for their turn."""
        return len(self._open) + sum(len(queue) for queue in self._queued.values())

    def request(
        self,
        peer: Hashable,
        request: Request,
        *,
        tuning: Tuning,
        now: float,
        exponent: int | None = None,
        token: bytes | None = None,
        ends_at: float | None = None,
        tag: Any = None,
    ) -> Call:
        """Ask `peer`, now or as soon as it has answered what it was asked before.

        `exponent` is of the largest blocks that this peer takes, where those are smaller than its transport's.

        `token` is that of all messages with a part of the request: the peer observes under it. `ends_at` is when
        whoever asks has no time any more, even if parts of the answer still come.
        """
        exponent = tuning.block_exponent if exponent is None else exponent
        transfer = Transfer(
            request,
            exponent=exponent,
            takes_bert=tuning.is_reliable,
            unsplit_bytes=tuning.unsplit_request_bytes,
        )
        call = Call(peer, transfer, tuning, token, ends_at, tag)
        if ends_at is not None:
            self._timers.note(ends_at, call)
        if peer in self._open:
            self._queued.setdefault(peer, deque()).append(call)
        else:
            self._begin(call, now)
        return call

    def receive(self, peer: Hashable, data: bytes, now: float) -> Heard | None:
        """An ACK, RST or response; None if it has nothing to do with what was asked.

        `data` has the four bytes of a header and the whole token.
        """
        call = self._open.get(peer)
        if call is None or call.exchange is None:
            return None
        due_at = call.exchange.due_at
        heard = call.exchange.receive(data, now)
        if heard is None:
            return None
        if heard.reply is not None:
            self._output.sent.append((peer, heard.reply))
        if heard.outcome is None:
            if call.exchange.due_at != due_at:  # the same acknowledgement may come as often as it likes
                self._timers.note(call.exchange.due_at, call)
        elif isinstance(heard.outcome, Failed):
            self._finish(call, heard.outcome, now)
        else:
            self._go_on(call, heard.outcome, now)
        return heard

    def awaits(self, peer: Hashable, data: bytes) -> bool:
        """Whether a message belongs to what was asked last: by its token, or by the id of what it answers."""
        call = self._open.get(peer)
        return call is not None and call.exchange is not None and call.exchange.is_for(data)

    def next_timer(self) -> float | None:
        """When `handle_timer` has something to do, if nothing is heard before."""
        return self._timers.next()

    def handle_timer(self, now: float) -> None:
        while (call := self._timers.take(now)) is not None:
            if call.ends_at is not None and call.ends_at <= now:
                self._finish(call, Failed(Reason.OVERDUE, "There was no time left for it."), now)
                continue
            assert call.exchange is not None
            left = call.exchange.handle_timer(now)
            if isinstance(left, Failed):
                self._finish(call, left, now)
            else:
                self._output.sent.append((call.peer, left))
                self._timers.note(call.exchange.due_at, call)

    def cancel(self, call: Call, now: float) -> None:
        """Nobody wants the answer any more: nothing is repeated, and the next one leaves. There is no event of it."""
        self._end(call, now)

    def fail(self, peer: Hashable, failed: Failed, now: float) -> None:
        """The way to `peer` is closed, or takes nothing: all that was asked of it ends now."""
        for call in (*self._queued.pop(peer, ()), *([self._open[peer]] if peer in self._open else ())):
            self._finish(call, failed, now)

    def fail_all(self, failed: Failed, now: float) -> None:
        for peer in list(self._open):
            self.fail(peer, failed, now)

    # -- calls -----------------------------------------------------------------------------------------------
    def _begin(self, call: Call, now: float) -> None:
        self._open[call.peer] = call
        self._send(call, call.transfer.first(), now)

    def _send(self, call: Call, request: Request, now: float) -> None:
        tuning = call.tuning
        mid = self._message_ids.draw(call.peer)
        chosen = None if call.transfer.is_fetching else call.token
        token = self._draw_token() if chosen is None else chosen
        try:
            data = request.encode(mid, token)
        except OverflowError:  # an address from elsewhere; whoever waits behind it must not wait for ever
            self._finish(call, Failed(Reason.TOO_LARGE, "An option is longer than any can be."), now)
            return
        pause = self._dice(tuning.ack_timeout, tuning.ack_timeout * ACK_RANDOM_FACTOR)
        call.exchange = Exchange(
            mid=mid,
            token=token,
            data=data,
            tuning=tuning,
            pause=pause,
            now=now,
            is_confirmable=request.confirmable,
        )
        self._timers.note(call.exchange.due_at, call)
        self._output.sent.append((call.peer, data))

    def _go_on(self, call: Call, response: Response, now: float) -> None:
        following = call.transfer.answered(response)
        if isinstance(following, Request):
            self._output.events.append(Progress(call))
            self._send(call, following, now)
        else:
            self._finish(call, following, now)

    def _finish(self, call: Call, outcome: Response | Failed, now: float) -> None:
        if not call.is_over:
            self._output.events.append(Finished(call, outcome))
            self._end(call, now)

    def _end(self, call: Call, now: float) -> None:
        if call.is_over:
            return
        call.is_over = True
        queue = self._queued.get(call.peer)
        if self._open.get(call.peer) is not call:
            if queue is not None and call in queue:
                queue.remove(call)
                if not queue:
                    del self._queued[call.peer]
            return
        del self._open[call.peer]
        if queue:
            following = queue.popleft()
            if not queue:
                del self._queued[call.peer]
            self._begin(following, now)


def _is_due(call: Call, at: float) -> bool:
    """What was noted before something else came is not."""
    return not call.is_over and (
        at == call.ends_at or (call.exchange is not None and call.exchange.due_at == at)
    )

"""All that is asked of all peers: one message at a time to each (NSTART=1, RFC 7252 section 4.7), the rest in a queue.

Every call of a method may leave datagrams to send and events behind, which `sent` and `events` give out once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from coap.blockwise import Transfer
from coap.errors import Failed, Reason
from coap.exchanges import Exchange
from coap.message import Request, Response
from coap.message_ids import MessageIds
from coap.tuning import ACK_RANDOM_FACTOR, Tuning


class Call:
    """One request on its way, until it is `Finished`; `tag` is whatever its caller wants to know it by."""

    __slots__ = ("_exchange", "_is_over", "_token", "_transfer", "ends_at", "peer", "tag", "tuning")

    def __init__(
        self,
        peer: Hashable,
        transfer: Transfer,
        tuning: Tuning,
        token: bytes | None,
        ends_at: float | None,
        tag: Any,
    ) -> None:
        self.peer = peer
        self.tuning = tuning
        self.ends_at = ends_at
        self.tag = tag
        self._transfer = transfer
        self._token = token
        self._exchange: Exchange | None = None
        self._is_over = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A call ended."""

    call: Call
    outcome: Response | Failed


@dataclass(frozen=True, slots=True)
class Progress:
    """A block of a call was answered, and the next one left."""

    call: Call


Event = Finished | Progress


class Client:
    """`dice(low, high)` draws a number between, `draw_token()` a token that nobody can guess."""

    def __init__(
        self,
        *,
        dice: Callable[[float, float], float],
        draw_token: Callable[[], bytes],
        message_ids: MessageIds,
    ) -> None:
        self._dice = dice
        self._draw_token = draw_token
        self._message_ids = message_ids
        self._open: dict[Hashable, Call] = {}
        self._queued: dict[Hashable, deque[Call]] = {}
        self._timers: list[tuple[float, int, Call]] = []
        self._timer_count = 0
        self._sent: list[tuple[Hashable, bytes]] = []
        self._events: list[Event] = []

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
        transfer = Transfer(request, exponent=exponent, takes_bert=tuning.is_reliable)
        call = Call(peer, transfer, tuning, token, ends_at, tag)
        if ends_at is not None:
            self._note(ends_at, call)
        if peer in self._open:
            self._queued.setdefault(peer, deque()).append(call)
        else:
            self._begin(call, now)
        return call

    def receive(self, peer: Hashable, data: bytes, now: float) -> bool:
        """An ACK, RST or response; False if it has nothing to do with what was asked.

        `data` has the four bytes of a header and the whole token.
        """
        call = self._open.get(peer)
        if call is None or call._exchange is None:
            return False
        heard = call._exchange.receive(data, now)
        if heard is None:
            return False
        if heard.reply is not None:
            self._sent.append((peer, heard.reply))
        if heard.outcome is None:
            self._note(call._exchange.due_at, call)
        elif isinstance(heard.outcome, Failed):
            self._finish(call, heard.outcome, now)
        else:
            self._go_on(call, heard.outcome, now)
        return True

    def next_timer(self) -> float | None:
        """When `handle_timer` has something to do, if nothing is heard before."""
        timers = self._timers
        while timers and not _is_due(timers[0][2], timers[0][0]):
            heappop(timers)
        return timers[0][0] if timers else None

    def handle_timer(self, now: float) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now:
            at, _, call = heappop(timers)
            if not _is_due(call, at):
                continue
            if call.ends_at is not None and call.ends_at <= now:
                self._finish(call, Failed(Reason.OVERDUE, "There was no time left for it."), now)
                continue
            assert call._exchange is not None
            left = call._exchange.handle_timer(now)
            if isinstance(left, Failed):
                self._finish(call, left, now)
            else:
                self._sent.append((call.peer, left))
                self._note(call._exchange.due_at, call)

    def cancel(self, call: Call, now: float) -> None:
        """Nobody wants the answer any more: nothing is repeated, and the next one leaves. There is no event of it."""
        self._end(call, now)

    def drop(self, peer: Hashable, detail: str, now: float, reason: Reason = Reason.GONE) -> None:
        """The way to `peer` is closed, or takes nothing: all that was asked of it ends now."""
        for call in (*self._queued.pop(peer, ()), *([self._open[peer]] if peer in self._open else ())):
            self._finish(call, Failed(reason, detail), now)

    def drop_all(self, detail: str, now: float) -> None:
        for peer in list(self._open):
            self.drop(peer, detail, now)

    def sent(self) -> list[tuple[Hashable, bytes]]:
        """What is to be sent, in this order."""
        sent, self._sent = self._sent, []
        return sent

    def events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    # -- calls -----------------------------------------------------------------------------------------------
    def _begin(self, call: Call, now: float) -> None:
        self._open[call.peer] = call
        self._send(call, call._transfer.first(), now)

    def _send(self, call: Call, request: Request, now: float) -> None:
        tuning = call.tuning
        mid = self._message_ids.draw(call.peer)
        chosen = None if call._transfer.is_fetching else call._token
        token = self._draw_token() if chosen is None else chosen
        data = request.encode(mid, token)
        pause = self._dice(tuning.ack_timeout, tuning.ack_timeout * ACK_RANDOM_FACTOR)
        call._exchange = Exchange(mid=mid, token=token, data=data, tuning=tuning, pause=pause, now=now)
        self._note(call._exchange.due_at, call)
        self._sent.append((call.peer, data))

    def _go_on(self, call: Call, response: Response, now: float) -> None:
        following = call._transfer.answered(response)
        if isinstance(following, Request):
            self._events.append(Progress(call))
            self._send(call, following, now)
        else:
            self._finish(call, following, now)

    def _finish(self, call: Call, outcome: Response | Failed, now: float) -> None:
        if not call._is_over:
            self._events.append(Finished(call, outcome))
            self._end(call, now)

    def _end(self, call: Call, now: float) -> None:
        if call._is_over:
            return
        call._is_over = True
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

    # -- timers ----------------------------------------------------------------------------------------------
    def _note(self, at: float, call: Call) -> None:
        self._timer_count += 1
        heappush(self._timers, (at, self._timer_count, call))


def _is_due(call: Call, at: float) -> bool:
    """What was noted before something else came is not."""
    return not call._is_over and (
        at == call.ends_at or (call._exchange is not None and call._exchange.due_at == at)
    )

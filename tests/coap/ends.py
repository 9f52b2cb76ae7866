"""An endpoint under an invented clock, and two of them with a wire between that loses what it is told to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import coap
from coap import Asked, Endpoint, Event, Finished, MessageIds, Request, Response
from coap.codes import CONTENT, GET

PEER = "peer"


def endpoint(**more: object) -> Endpoint:
    """Dice that always draw the lowest number, tokens that count."""
    numbers = count(1)
    return Endpoint(
        dice=lambda low, high: low,
        draw_token=lambda: next(numbers).to_bytes(2, "big"),
        message_ids=MessageIds([more.pop("first_id", 100)]),
        **more,
    )


def said(end: Endpoint, data: bytes, now: float = 0.0, peer: object = PEER) -> list[Event]:
    """What it makes of a datagram."""
    end.receive(data, peer, now)
    return end.take_events()


def sent(end: Endpoint) -> list[bytes]:
    return [data for _, data in end.take_sent()]


def asked(end: Endpoint, data: bytes, now: float = 0.0, peer: object = PEER) -> Asked:
    (event,) = said(end, data, now, peer)
    assert isinstance(event, Asked)
    return event


def get(mid: int, *options: tuple[int, bytes], kind: int = coap.CON, token: bytes = b"t") -> bytes:
    return Request(GET, tuple(options), b"", kind == coap.CON).encode(mid, token)


class Pair:
    """One end asks, the other one answers with what `serve` says; `lose` picks what the wire loses."""

    def __init__(
        self,
        serve: Callable[[Asked], dict[str, object]],
        *,
        asking: dict[str, object] | None = None,
        answering: dict[str, object] | None = None,
        lose: Callable[[int], bool] = lambda number: False,
    ) -> None:
        self.asking = endpoint(**(asking or {}))
        self.answering = endpoint(first_id=40_000, **(answering or {}))
        self.serve = serve
        self.now = 0.0
        self.served: list[Asked] = []
        self.events: list[Event] = []
        self.wire: list[bytes] = []
        self._lose = lose

    def run(self, until: float = 1000.0) -> None:
        """Carry all that is sent; where nothing is, the time passes."""
        while True:
            while self._carry(self.asking, self.answering) | self._carry(self.answering, self.asking):
                pass
            timers = [at for end in (self.asking, self.answering) if (at := end.next_timer()) is not None]
            if not timers or min(timers) > until:
                return
            self.now = min(timers)
            for end in (self.asking, self.answering):
                end.handle_timer(self.now)

    def _carry(self, one: Endpoint, other: Endpoint) -> bool:
        """Whether there was something to carry."""
        datagrams = sent(one)
        for data in datagrams:
            self.wire.append(data)
            if not self._lose(len(self.wire)):
                other.receive(data, PEER, self.now)
        self._work(self.asking)
        self._work(self.answering)
        return bool(datagrams)

    def _work(self, end: Endpoint) -> None:
        for event in end.take_events():
            if isinstance(event, Asked):
                self.served.append(event)
                end.answer(event, now=self.now, **({"code": CONTENT} | self.serve(event)))
            else:
                self.events.append(event)

    def outcomes(self) -> list[object]:
        return [event.outcome for event in self.events if isinstance(event, Finished)]

    def ask(self, request: Request, **more: object) -> Response | object:
        """Ask, and let everything happen."""
        self.asking.request(PEER, request, now=self.now, **more)
        self.run()
        (outcome,) = self.outcomes()[-1:]
        return outcome

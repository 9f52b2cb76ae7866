"""A client with a clock that is told the time, and what a peer answers by hand."""

from __future__ import annotations

from itertools import count

from coap import ACK, CON, Block, Failed, Finished, MessageIds, Reason, Request, Tuning
from coap.client import Client
from coap.options import Option, uint
from coap.output import Output

GET = 1
CONTENT = 0x45


class Asking(Client):
    """The asking half of an endpoint by itself, with what it leaves behind."""

    def __init__(self, **more: object) -> None:
        self.output = Output()
        super().__init__(output=self.output, **more)

    def sent(self) -> list[tuple[object, bytes]]:
        return self.output.take_sent()

    def events(self) -> list[object]:
        return self.output.take_events()

    def drop(self, peer: object, detail: str, now: float) -> None:
        self.fail(peer, Failed(Reason.GONE, detail), now)


def client() -> Asking:
    """Dice that always draw the lowest number, tokens that count."""
    numbers = count(1)
    return Asking(
        dice=lambda low, high: low,
        draw_token=lambda: next(numbers).to_bytes(8, "big"),
        message_ids=MessageIds([100]),
    )


def ask(asking: Asking, peer: object = "a", now: float = 0.0, **more: object):
    tuning = more.pop("tuning", Tuning())
    request = more.pop("request", Request(GET, ((11, b"3"),)))
    return asking.request(peer, request, tuning=tuning, now=now, **more)


def sent(asking: Asking) -> list[bytes]:
    return [data for _, data in asking.sent()]


def outcomes(asking: Asking) -> list[object]:
    return [event.outcome for event in asking.events() if isinstance(event, Finished)]


def mid_of(data: bytes) -> int:
    return int.from_bytes(data[2:4], "big")


def token_of(data: bytes) -> bytes:
    return data[4 : 4 + (data[0] & 15)]


def message(
    kind: int, code: int, mid: int, token: bytes, payload: bytes = b"", options: tuple[Option, ...] = ()
) -> bytes:
    """Any message; `options` in the order of their numbers."""
    data = Request(code, options, payload).encode(mid, token)
    return bytes((0x40 | kind << 4 | len(token),)) + data[1:]


def piggybacked(asked: bytes, code: int = CONTENT, payload: bytes = b"", *options: Option) -> bytes:
    return message(ACK, code, mid_of(asked), token_of(asked), payload, options)


def separate(asked: bytes, mid: int = 7, kind: int = CON, payload: bytes = b"") -> bytes:
    return message(kind, CONTENT, mid, token_of(asked), payload)


def block(option: int, number: int, more: bool, exponent: int) -> Option:
    return option, Block(number, more, exponent).encode()


def number(option: int, value: int) -> Option:
    return option, uint(value)


def run_out(asking: Asking, until: float) -> list[tuple[float, bytes]]:
    """Let the time pass; what was sent when."""
    told = []
    while (at := asking.next_timer()) is not None and at <= until:
        asking.handle_timer(at)
        told += [(at, data) for data in sent(asking)]
    return told

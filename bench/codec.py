"""What a request and its answer cost in our endpoint, and in aiocoap's codec alone: `python -m bench.codec`."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from itertools import count

from aiocoap import Message
from aiocoap.numbers.codes import CHANGED
from aiocoap.numbers.types import ACK

from coap import Asked, Endpoint, MessageIds

LINKS = b'</>;rt="oma.lwm2m";ct="60 110 112 11542 11543",</1/0>,</3/0>,</3303/0>'
UPDATE = b"\x44\x02\x12\x34abcd\xb2rd\x0d\x030123456789abcdef"
REGISTER = (
    b"\x44\x02\x12\x34abcd\xb2rd\x11\x28\x3d\x00ep=dev-000001\x08lt=86400\x09lwm2m=1.1\x03b=U\xff" + LINKS
)
ROUNDS, REPEATS = 20_000, 5
_endpoint = Endpoint(dice=lambda low, high: low, draw_token=lambda: b"", message_ids=MessageIds([0]))
_now = count(0.0, 300.0)
"""So much later each time that the message counts as a new one."""


def ours(datagram: bytes) -> bytes:
    """With what an endpoint does beside reading and writing: it remembers the message and its answer."""
    now = next(_now)
    _endpoint.receive(datagram, "peer", now)
    (asked,) = _endpoint.take_events()
    assert isinstance(asked, Asked)
    _endpoint.answer(asked, CHANGED, now=now)
    ((_, answer),) = _endpoint.take_sent()
    return answer


def aiocoaps(datagram: bytes) -> bytes:
    request = Message.decode(datagram)
    tuple(request.opt.uri_path), tuple(request.opt.uri_query)
    answer = Message(code=CHANGED)
    answer.mtype, answer.mid, answer.token = ACK, request.mid, request.token
    return bytes(answer.encode())


def micros(codec: Callable[[bytes], bytes], datagram: bytes) -> float:
    return min(timeit.repeat(lambda: codec(datagram), number=ROUNDS, repeat=REPEATS)) / ROUNDS * 1e6


def main() -> None:
    assert ours(UPDATE) == aiocoaps(UPDATE)
    print("| request and answer | ours, µs | aiocoap, µs | ratio |\n| --- | ---: | ---: | ---: |")
    for name, datagram in (("Update", UPDATE), ("Register", REGISTER)):
        short, long = micros(ours, datagram), micros(aiocoaps, datagram)
        print(f"| {name} | {short:.1f} | {long:.1f} | {long / short:.1f} |")


if __name__ == "__main__":
    main()

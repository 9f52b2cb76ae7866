"""What a datagram costs in the short lane's codec and in aiocoap's: `python -m bench.codec`."""

from __future__ import annotations

import timeit
from collections.abc import Callable

from aiocoap import Message
from aiocoap.numbers.codes import CHANGED
from aiocoap.numbers.types import ACK

from lwm2m.codes import Code
from lwm2m.messages import Response
from southbound.transports import coap

LINKS = b'</>;rt="oma.lwm2m";ct="60 110 112 11542 11543",</1/0>,</3/0>,</3303/0>'
UPDATE = b"\x44\x02\x12\x34abcd\xb2rd\x0d\x030123456789abcdef"
REGISTER = (
    b"\x44\x02\x12\x34abcd\xb2rd\x11\x28\x3d\x00ep=dev-000001\x08lt=86400\x09lwm2m=1.1\x03b=U\xff" + LINKS
)
ROUNDS, REPEATS = 20_000, 5
_CHANGED = Response(Code.CHANGED)


def ours(datagram: bytes) -> bytes:
    coap.read_request(datagram, 8, datagram[1], True)
    return coap.write_response(coap.ACK, 0x1234, datagram[4:8], _CHANGED)


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

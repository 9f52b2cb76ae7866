"""The conversations that RFC 7959 section 3 draws, with each of our halves in turn."""

from __future__ import annotations

import pytest

from coap import Request, Tuning
from coap.codes import CONTENT, GET, POST, PUT
from tests.coap.ends import endpoint
from tests.coap.lockstep import DOWN, UP, lines, play_against_client, play_against_server

CHANGED = 0x44
SIMPLE_GET = """
    > CON 1234 GET /status
    < ACK 1234 2.05 2:0/1/128
    > CON 1235 GET /status 2:1/0/128
    < ACK 1235 2.05 2:1/1/128
    > CON 1236 GET /status 2:2/0/128
    < ACK 1236 2.05 2:2/0/128
"""
"""Figure 2."""
EARLY_NEGOTIATION = """
    > CON 1234 GET /status 2:0/0/64
    < ACK 1234 2.05 2:0/1/64
    > CON 1235 GET /status 2:1/0/64
    < ACK 1235 2.05 2:1/1/64
    > CON 1236 GET /status 2:2/0/64
    < ACK 1236 2.05 2:2/1/64
    > CON 1237 GET /status 2:3/0/64
    < ACK 1237 2.05 2:3/1/64
    > CON 1238 GET /status 2:4/0/64
    < ACK 1238 2.05 2:4/1/64
    > CON 1239 GET /status 2:5/0/64
    < ACK 1239 2.05 2:5/0/64
"""
"""Figure 3."""
LATE_NEGOTIATION = """
    > CON 1234 GET /status
    < ACK 1234 2.05 2:0/1/128
    > CON 1235 GET /status 2:2/0/64
    < ACK 1235 2.05 2:2/1/64
    > CON 1236 GET /status 2:3/0/64
    < ACK 1236 2.05 2:3/1/64
    > CON 1237 GET /status 2:4/0/64
    < ACK 1237 2.05 2:4/1/64
    > CON 1238 GET /status 2:5/0/64
    < ACK 1238 2.05 2:5/0/64
"""
"""Figure 4."""
ATOMIC_PUT = """
    > CON 1234 PUT /options 1:0/1/128
    < ACK 1234 2.31 1:0/1/128
    > CON 1235 PUT /options 1:1/1/128
    < ACK 1235 2.31 1:1/1/128
    > CON 1236 PUT /options 1:2/0/128
    < ACK 1236 2.04 1:2/0/128
"""
"""Figure 7."""
PUT_NEGOTIATED = """
    > CON 1234 PUT /options 1:0/1/128
    < ACK 1234 2.31 1:0/1/32
    > CON 1235 PUT /options 1:4/1/32
    < ACK 1235 2.31 1:4/1/32
    > CON 1236 PUT /options 1:5/1/32
    < ACK 1236 2.31 1:5/1/32
    > CON 1237 PUT /options 1:6/0/32
    < ACK 1237 2.04 1:6/0/32
"""
"""Figure 9."""
BOTH = """
    > CON 1234 POST /soap 1:0/1/128
    < ACK 1234 2.31 1:0/1/128
    > CON 1235 POST /soap 1:1/1/128
    < ACK 1235 2.31 1:1/1/128
    > CON 1236 POST /soap 1:2/0/128
    < ACK 1236 2.04 2:0/1/128 1:2/0/128
    > CON 1237 POST /soap 2:1/0/128
    < ACK 1237 2.04 2:1/1/128
    > CON 1238 POST /soap 2:2/0/128
    < ACK 1238 2.04 2:2/1/128
    > CON 1239 POST /soap 2:3/0/128
    < ACK 1239 2.04 2:3/0/128
"""
"""Figure 10."""


def of_blocks(exponent: int):
    return endpoint(first_id=1234, tuning=Tuning(block_exponent=exponent))


@pytest.mark.parametrize(
    ("script", "exponent", "up", "down", "code"),
    [
        (SIMPLE_GET, 3, 0, 300, CONTENT),
        (EARLY_NEGOTIATION, 3, 0, 380, CONTENT),
        (LATE_NEGOTIATION, 3, 0, 380, CONTENT),
        (ATOMIC_PUT, 3, 300, 0, CHANGED),
        (PUT_NEGOTIATED, 1, 220, 0, CHANGED),
        (BOTH, 3, 300, 500, CHANGED),
    ],
)
def test_a_server(script, exponent, up, down, code):
    played = lines(script, up=up, down=down)
    (asked,) = play_against_server(of_blocks(exponent), played, code, DOWN[:down])
    assert asked.payload == UP[:up]
    assert asked.path == (played[0][1].path,)


@pytest.mark.parametrize(
    ("script", "exponent", "request_code", "up", "down"),
    [
        (SIMPLE_GET, 3, GET, 0, 300),
        (LATE_NEGOTIATION, 2, GET, 0, 380),
        (ATOMIC_PUT, 3, PUT, 300, 0),
        (PUT_NEGOTIATED, 3, PUT, 220, 0),
        (BOTH, 3, POST, 300, 500),
    ],
)
def test_a_client(script, exponent, request_code, up, down):
    played = lines(script, up=up, down=down)
    request = Request.of(request_code, (played[0][1].path,), payload=UP[:up])
    answer = play_against_client(of_blocks(exponent), played, request)
    assert answer.payload == DOWN[:down]

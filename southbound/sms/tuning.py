"""How patient SMS is, and how much fits one of them (RFC 7252 section 4.8, RFC 7959)."""

from __future__ import annotations

from coap import Tuning

SMS_BLOCK_EXPONENT = 2
"""Blocks of 64 bytes: of the 140 of an SMS, 7 are the user data header, and the header, token and options of CoAP
take up to 60. The next size, 128, would never fit."""


def sms(*, ack_seconds: float, repetitions: int, response_seconds: float) -> Tuning:
    """Minutes and few repetitions: each costs, and the SMSC repeats by itself what it cannot deliver."""
    return Tuning(
        ack_timeout=ack_seconds,
        max_retransmit=repetitions,
        response_seconds=response_seconds,
        latency=response_seconds,
        block_exponent=SMS_BLOCK_EXPONENT,
    )

"""How patient a transport is, and how much fits one of its messages (RFC 7252 section 4.8, RFC 7959)."""

from __future__ import annotations

from aiocoap.numbers.constants import TransportTuning

RESPONSE_SECONDS = 60.0
"""How long a device that acknowledged may take for its separate response."""
LARGEST_BLOCK_EXPONENT = 6
SMS_BLOCK_EXPONENT = 2
"""Blocks of 64 bytes: of the 140 of an SMS, 7 are the user data header, and the header, token and options of CoAP
take up to 60. The next size, 128, would never fit."""


class Tuning(TransportTuning):  # type: ignore[misc]
    """aiocoap's, with values to choose. `latency` is how long a message may be on its way."""

    reliability = True

    def __init__(
        self,
        *,
        ack_timeout: float = 2.0,
        max_retransmit: int = 4,
        response_seconds: float = RESPONSE_SECONDS,
        latency: float = 100.0,
        block_exponent: int = LARGEST_BLOCK_EXPONENT,
    ) -> None:
        self.ACK_TIMEOUT = ack_timeout
        self.MAX_RETRANSMIT = max_retransmit
        self.MAX_LATENCY = latency
        self.response_seconds = response_seconds
        self.block_exponent = block_exponent

    @property
    def patience(self) -> float:
        """After so many seconds nothing will come any more."""
        return float(self.MAX_TRANSMIT_WAIT + self.response_seconds)

    @property
    def exchange_seconds(self) -> float:
        """So long a message id must not be taken for a new one (RFC 7252 section 4.8.2)."""
        return float(self.EXCHANGE_LIFETIME)

    @property
    def unconfirmed_seconds(self) -> float:
        """The same for a message that wants no acknowledgement (NON_LIFETIME)."""
        return float(self.MAX_TRANSMIT_SPAN + self.MAX_LATENCY)


def sms(*, ack_seconds: float, repetitions: int, response_seconds: float) -> Tuning:
    """Minutes and few repetitions: each costs, and the SMSC repeats by itself what it cannot deliver."""
    return Tuning(
        ack_timeout=ack_seconds,
        max_retransmit=repetitions,
        response_seconds=response_seconds,
        latency=response_seconds,
        block_exponent=SMS_BLOCK_EXPONENT,
    )

"""How patient a transport is (RFC 7252 section 4.8), and the times that follow from it, all in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

ACK_RANDOM_FACTOR = 1.5
RESPONSE_SECONDS = 60.0
LARGEST_BLOCK_EXPONENT = 6
"""Blocks of 1,024 bytes; a block of exponent n has 2 ** (n + 4) bytes (RFC 7959 section 2.2)."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """`response_seconds` is how long a peer that acknowledged may take for its separate response.

    `latency` is how long a message may be on its way. On a reliable transport nothing is repeated or acknowledged
    (RFC 8323 section 2.1), so that an answer may take as long as all repetitions and a separate response would.
    Payloads of more than a block, but not more than `unsplit_…_bytes`, leave in one message all the same.
    """

    ack_timeout: float = 2.0
    max_retransmit: int = 4
    response_seconds: float = RESPONSE_SECONDS
    latency: float = 100.0
    block_exponent: int = LARGEST_BLOCK_EXPONENT
    unsplit_request_bytes: int = 0
    unsplit_answer_bytes: int = 0
    is_reliable: bool = False

    @property
    def transmit_span(self) -> float:
        """From the first transmission to the last one: MAX_TRANSMIT_SPAN."""
        return self.ack_timeout * ((1 << self.max_retransmit) - 1) * ACK_RANDOM_FACTOR

    @property
    def transmit_wait(self) -> float:
        """From the first transmission until nothing will be acknowledged any more: MAX_TRANSMIT_WAIT."""
        return self.ack_timeout * ((2 << self.max_retransmit) - 1) * ACK_RANDOM_FACTOR

    @property
    def unrepeated(self) -> Tuning:
        """As patient, and nothing is sent twice: for a peer that never answered, and may be somebody else."""
        return replace(self, ack_timeout=self.transmit_wait / ACK_RANDOM_FACTOR, max_retransmit=0)

    @property
    def patience(self) -> float:
        """After so long without a word there is no answer to one message any more."""
        return self.transmit_wait + self.response_seconds

    @property
    def exchange_seconds(self) -> float:
        """So long a message id must not be taken for a new one: EXCHANGE_LIFETIME."""
        return self.transmit_span + 2 * self.latency + self.ack_timeout

    @property
    def unconfirmed_seconds(self) -> float:
        """The same for a message that wants no acknowledgement: NON_LIFETIME."""
        return self.transmit_span + self.latency

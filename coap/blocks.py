"""One block of a body (RFC 7959 section 2.2), as the Block1 and Block2 options say it."""

from __future__ import annotations

from dataclasses import dataclass

from coap.options import uint

BERT = 7
"""Over a stream this exponent says that blocks come in several of 1,024 bytes at once (RFC 8323 section 6)."""


@dataclass(frozen=True, slots=True)
class Block:
    """`number` counts blocks of `size` bytes; `more` follow."""

    number: int
    more: bool
    exponent: int

    @property
    def size(self) -> int:
        """Bytes of one block; with BERT a message holds several."""
        return 1 << (min(self.exponent, 6) + 4)

    @property
    def start(self) -> int:
        """Where in the whole the first byte of this block is."""
        return self.number * self.size

    def is_filled_by(self, length: int) -> bool:
        """Whether a payload of this length is whole blocks, as all but the last one must be."""
        if self.exponent == BERT:
            return length > 0 and length % self.size == 0
        return length == self.size

    def encode(self) -> bytes:
        return uint(self.number << 4 | self.more << 3 | self.exponent)

    @classmethod
    def decode(cls, value: bytes) -> Block:
        number = int.from_bytes(value, "big")
        return cls(number >> 4, bool(number & 8), number & 7)

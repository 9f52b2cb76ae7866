"""How much was said on a connection, for whoever counts (`/7`, Connectivity Statistics)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """CoAP messages of one connection, without what DTLS and UDP add."""

    sent_bytes: int = 0
    received_bytes: int = 0
    messages: int = 0
    largest_bytes: int = 0

    def sent(self, size: int) -> None:
        self.sent_bytes += size
        self._count(size)

    def received(self, size: int) -> None:
        self.received_bytes += size
        self._count(size)

    def _count(self, size: int) -> None:
        self.messages += 1
        self.largest_bytes = max(self.largest_bytes, size)


def total(parts: Iterable[Traffic]) -> Traffic:
    """All connections of a device together."""
    whole = Traffic()
    for part in parts:
        whole.sent_bytes += part.sent_bytes
        whole.received_bytes += part.received_bytes
        whole.messages += part.messages
        whole.largest_bytes = max(whole.largest_bytes, part.largest_bytes)
    return whole

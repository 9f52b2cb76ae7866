"""Who may begin a handshake: about 60 kB of OpenSSL each, so their number is capped, and that of one host."""

from __future__ import annotations

from collections import Counter

from dtls.config import ServerConfig
from dtls.events import Refused
from dtls.session import Address

REPORT_SECONDS = 10.0
PROTECTED_SHARE = 0.25  # of its time-out, in which an attempt cannot be pushed out by a newer one


class Admission:
    """Counts attempts; the address has proved by its cookie that it is no forgery."""

    __slots__ = ("_config", "_per_host", "_reported_at", "_total")

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._per_host: Counter[Address] = Counter()
        self._total = 0
        self._reported_at: float | None = None

    def enter(self, address: Address) -> None:
        """An attempt begins."""
        self._total += 1
        self._per_host[address[:1]] += 1

    def leave(self, address: Address) -> None:
        """An attempt has ended, one way or the other."""
        host = address[:1]
        self._total -= 1
        self._per_host[host] -= 1
        if not self._per_host[host]:
            del self._per_host[host]

    def is_host_full(self, address: Address) -> bool:
        """Whether this host has as many attempts as one host may have."""
        return self._per_host[address[:1]] >= self._config.max_half_open_per_host

    def is_full(self) -> bool:
        """Whether there are as many attempts as there may be."""
        return self._total >= self._config.max_half_open

    def may_push_out(self, expires_at: float, now: float) -> bool:
        """Whether an attempt had enough time of its own."""
        return expires_at - now < self._config.handshake_timeout * (1 - PROTECTED_SHARE)

    def report(self, address: Address, now: float) -> list[Refused]:
        """Tell of a flood, but not of each of its drops."""
        if self._reported_at is not None and now < self._reported_at + REPORT_SECONDS:
            return []
        self._reported_at = now
        of_host = self._per_host[address[:1]]
        detail = f"{self._total} handshakes are half open, {of_host} of them of this host"
        return [Refused(address, "DTLS_FLOOD", detail, None)]

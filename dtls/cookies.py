"""Stateless cookies (RFC 6347 section 4.2.1): an address can be reached before it costs memory."""

from __future__ import annotations

import hmac
from collections.abc import Callable

COOKIE_LENGTH = 16  # within the 32 bytes that DTLS 1.0 allowed; makes our answer smaller than any ClientHello
SECRET_LENGTH = 32


class Cookies:
    """Cookies made with a secret that rotates; the one before it stays good for one more period."""

    __slots__ = ("_current", "_period", "_previous", "_random", "_rotates_at")

    def __init__(self, random: Callable[[int], bytes], period_seconds: float) -> None:
        self._random = random
        self._period = period_seconds
        self._current = random(SECRET_LENGTH)
        self._previous = random(SECRET_LENGTH)
        self._rotates_at: float | None = None

    def make(self, address: object, covered: bytes, now: float) -> bytes:
        """The cookie for a ClientHello from this address."""
        self._rotate(now)
        return _compute(self._current, address, covered)

    def is_good(self, cookie: bytes, address: object, covered: bytes, now: float) -> bool:
        """Whether we made this cookie for this very ClientHello and address, within two periods."""
        if len(cookie) != COOKIE_LENGTH:
            return False
        self._rotate(now)
        return any(
            hmac.compare_digest(cookie, _compute(secret, address, covered))
            for secret in (self._current, self._previous)
        )

    def _rotate(self, now: float) -> None:
        if self._rotates_at is None:
            self._rotates_at = now + self._period
        if now < self._rotates_at:
            return
        is_stale = now >= self._rotates_at + self._period
        self._previous = self._random(SECRET_LENGTH) if is_stale else self._current
        self._current = self._random(SECRET_LENGTH)
        self._rotates_at = now + self._period


def _compute(secret: bytes, address: object, covered: bytes) -> bytes:
    return hmac.digest(secret, repr(address).encode() + b"\0" + covered, "sha256")[:COOKIE_LENGTH]

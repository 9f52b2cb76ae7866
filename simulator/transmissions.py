"""Confirmable messages until they are acknowledged: retransmission by `RFC 7252 section 4.2`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """Transmission parameters of `RFC 7252 section 4.8`, and how long a separate response may take."""

    ack_timeout: float = 2.0
    ack_random_factor: float = 1.5
    max_retransmit: int = 4
    separate_timeout: float = 93.0

    @property
    def longest_wait(self) -> float:
        """Seconds until even a late separate response is not to be expected any more."""
        doublings = (1 << (self.max_retransmit + 1)) - 1
        return self.ack_timeout * self.ack_random_factor * doublings + self.separate_timeout


class _Confirmable:
    __slots__ = ("acknowledged", "attempts", "datagram", "failed", "timeout", "timer")

    def __init__(
        self, datagram: bytes, failed: Callable[[str], None], acknowledged: Callable[[], None] | None
    ) -> None:
        self.datagram = datagram
        self.failed = failed
        self.acknowledged = acknowledged
        self.attempts = 0
        self.timeout = 0.0
        self.timer: asyncio.TimerHandle | None = None


class Transmissions:
    """The confirmable messages under way to one peer, by message id."""

    __slots__ = ("_loop", "_transmit", "_tuning", "_under_way")

    def __init__(self, transmit: Callable[[bytes], None], tuning: Tuning) -> None:
        self._transmit = transmit
        self._tuning = tuning
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[int, _Confirmable] = {}

    @property
    def longest_wait(self) -> float:
        """Seconds until even a late separate response is not to be expected any more."""
        return self._tuning.longest_wait

    def begin(
        self,
        mid: int,
        datagram: bytes,
        *,
        failed: Callable[[str], None],
        acknowledged: Callable[[], None] | None = None,
    ) -> None:
        """Send, and send again until one of `acknowledged`, `reset` and `drop`; else ``failed`` is told why."""
        confirmable = self._under_way[mid] = _Confirmable(datagram, failed, acknowledged)
        factor = random.uniform(1.0, self._tuning.ack_random_factor)  # noqa: S311
        confirmable.timeout = self._tuning.ack_timeout * factor
        self._send(mid, confirmable)

    def _send(self, mid: int, confirmable: _Confirmable) -> None:
        confirmable.timer = self._loop.call_later(confirmable.timeout, self._again, mid)
        self._transmit(confirmable.datagram)

    def _again(self, mid: int) -> None:
        confirmable = self._under_way[mid]
        if confirmable.attempts >= self._tuning.max_retransmit:
            del self._under_way[mid]
            confirmable.failed("no acknowledgement")
            return
        confirmable.attempts += 1
        confirmable.timeout *= 2
        self._send(mid, confirmable)

    def has(self, mid: int) -> bool:
        """Whether this message waits for its acknowledgement."""
        return mid in self._under_way

    def acknowledged(self, mid: int) -> None:
        """An empty ACK came: the message arrived."""
        confirmable = self.drop(mid)
        if confirmable is not None and confirmable.acknowledged is not None:
            confirmable.acknowledged()

    def reset(self, mid: int) -> None:
        """A RST came: the peer does not want the message."""
        confirmable = self.drop(mid)
        if confirmable is not None:
            confirmable.failed("reset by the server")

    def drop(self, mid: int) -> _Confirmable | None:
        """Stop sending; nobody is told."""
        confirmable = self._under_way.pop(mid, None)
        if confirmable is not None and confirmable.timer is not None:
            confirmable.timer.cancel()
        return confirmable

    def close(self) -> None:
        """Stop everything; nobody is told."""
        for mid in list(self._under_way):
            self.drop(mid)

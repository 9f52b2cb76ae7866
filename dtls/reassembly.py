"""Handshake messages put together from fragments and handed on in order (RFC 6347 sections 4.2.2 and 4.2.3).

Bounded: a peer that has shown a cookie, and nothing else yet, may make us hold so much and no more.
"""

from __future__ import annotations

from dtls.errors import Malformed
from dtls.messages import Fragment, Message

MAX_MESSAGE = 2048  # what follows a hello in plain PSK has an identity or a hint in it, and little else
MAX_AHEAD = 8  # messages of a flight beyond the next one that we hold


class Partial:
    """One message, as far as its fragments have come."""

    __slots__ = ("body", "kind", "missing")

    def __init__(self, kind: int, length: int) -> None:
        self.kind = kind
        self.body = bytearray(length)
        self.missing = [(0, length)] if length else []

    def add(self, offset: int, body: bytes) -> None:
        end = offset + len(body)
        left: list[tuple[int, int]] = []
        for low, high in self.missing:
            if end <= low or offset >= high:
                left.append((low, high))
                continue
            # The bytes that came first stay: a later, overlapping fragment changes nothing.
            begin, stop = max(low, offset), min(high, end)
            self.body[begin:stop] = body[begin - offset : stop - offset]
            if low < begin:
                left.append((low, begin))
            if stop < high:
                left.append((stop, high))
        if len(left) > MAX_AHEAD:
            raise Malformed("fragments too scattered")
        self.missing = left


class Reassembly:
    """Holds what came too early or in parts."""

    __slots__ = ("_partials", "next_sequence")

    def __init__(self, next_sequence: int) -> None:
        self.next_sequence = next_sequence
        self._partials: dict[int, Partial] = {}

    def add(self, fragment: Fragment) -> bool:
        """Whether the fragment was of use; False for one that belongs to the past. Raises `Malformed`."""
        ahead = fragment.sequence - self.next_sequence
        if ahead < 0:
            return False
        if ahead > MAX_AHEAD or fragment.length > MAX_MESSAGE:
            raise Malformed("a message that we would not hold")
        partial = self._partials.get(fragment.sequence)
        if partial is None:
            partial = self._partials[fragment.sequence] = Partial(fragment.kind, fragment.length)
        if partial.kind != fragment.kind or len(partial.body) != fragment.length:
            raise Malformed("fragments of one message disagree")
        partial.add(fragment.offset, fragment.body)
        return True

    def take(self) -> Message | None:
        """The next message, once it is whole."""
        partial = self._partials.get(self.next_sequence)
        if partial is None or partial.missing:
            return None
        del self._partials[self.next_sequence]
        self.next_sequence += 1
        return Message(partial.kind, self.next_sequence - 1, bytes(partial.body))

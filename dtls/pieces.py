"""ClientHellos that come in fragments (RFC 6347 section 4.2.3), gathered for a moment and within a bound.

A fragment that holds everything in front of the extensions is answered with a HelloVerifyRequest at once, and leaves
nothing behind but the place of its other fragments here. What comes with a good cookie is from an address that exists,
and is never pushed out by what comes without.
"""

from __future__ import annotations

from dtls.errors import Malformed
from dtls.messages import Fragment, Message
from dtls.reassembly import Partial
from dtls.session import Address

MAX_HELLO = 2048
KEPT_SECONDS = 5.0
MAX_ADDRESSES = 256
"""Half a megabyte in all. Beyond it the oldest without a cookie makes room, else the newcomer has to come again."""


class _Gathered:
    __slots__ = ("expires_at", "is_proved", "length", "partial", "sequence")

    def __init__(self, fragment: Fragment, is_proved: bool, expires_at: float) -> None:
        self.sequence = fragment.sequence
        self.length = fragment.length
        self.partial = Partial(fragment.kind, fragment.length)
        self.is_proved = is_proved
        self.expires_at = expires_at


class HelloPieces:
    """At most one ClientHello an address."""

    def __init__(self) -> None:
        self._by_address: dict[Address, _Gathered] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def add(self, fragment: Fragment, address: Address, now: float, *, is_proved: bool) -> Message | None:
        """Keep a fragment; the message once it is whole. Raises `Malformed` for one that we would not hold."""
        if fragment.length > MAX_HELLO:
            raise Malformed("a ClientHello that we would not hold")
        gathered = self._by_address.get(address)
        if (
            gathered is None
            or gathered.expires_at <= now
            or (gathered.sequence, gathered.length) != (fragment.sequence, fragment.length)
        ):
            self._by_address.pop(address, None)
            if not self._make_room(now):
                return None
            gathered = self._by_address[address] = _Gathered(fragment, is_proved, now + KEPT_SECONDS)
        gathered.is_proved |= is_proved
        gathered.partial.add(fragment.offset, fragment.body)
        if gathered.partial.missing:
            return None
        del self._by_address[address]
        return Message(fragment.kind, fragment.sequence, bytes(gathered.partial.body))

    def _make_room(self, now: float) -> bool:
        if len(self._by_address) < MAX_ADDRESSES:
            return True
        victim = next(
            (at for at, held in self._by_address.items() if held.expires_at <= now or not held.is_proved),
            None,
        )
        if victim is None:
            return False
        del self._by_address[victim]
        return True

"""Parts put together again: in any order, more than once, or never; bounded in number and in time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from smpp.parts import Part
from smpp.udh import Ports

Handle = TypeVar("Handle")
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Whole(Generic[Handle]):
    """A payload with every part of it; ``handles`` are those of its parts and of their duplicates."""

    payload: bytes
    ports: Ports | None
    handles: tuple[Handle, ...]


class _Gathering(Generic[Handle]):
    __slots__ = ("began_at", "handles", "is_whole", "parts", "ports", "total")

    def __init__(self, total: int, ports: Ports | None, began_at: float) -> None:
        self.total = total
        self.ports = ports
        self.began_at = began_at
        self.parts: dict[int, bytes] = {}
        self.handles: list[Handle] = []
        self.is_whole = False


class Reassembly(Generic[Handle]):
    """``handle`` is whatever its owner knows a part by: a row, a PDU to be acknowledged.

    A part that belongs to nothing any more (its message was whole before, expired, was crowded out, or its
    reference was taken by a newer message) is handed back by `spent`.
    """

    def __init__(
        self, *, expire_seconds: float = 3600.0, max_messages: int = 1000, max_per_sender: int = 8
    ) -> None:
        self._expire_seconds = expire_seconds
        self._max_messages = max_messages
        self._max_per_sender = max_per_sender
        self._gatherings: OrderedDict[Key, _Gathering[Handle]] = OrderedDict()
        self._senders: dict[str, int] = {}
        self._spent: list[Handle] = []

    @property
    def waiting(self) -> int:
        """Messages of which parts are missing."""
        return sum(not each.is_whole for each in self._gatherings.values())

    def add(self, sender: str, part: Part, handle: Handle, now: float) -> Whole[Handle] | None:
        """Take a part in; the whole message when this part completes it."""
        if part.concat is None:
            return Whole(part.payload, part.ports, (handle,))
        self.expire(now)
        gathering = self._gathering(sender, part, now)
        number = part.concat.number
        if gathering.is_whole:
            self._spent.append(handle)  # the SMSC told a part again after the last one
            return None
        gathering.handles.append(handle)
        gathering.parts[number] = part.payload
        if len(gathering.parts) < gathering.total:
            return None
        payload = b"".join(gathering.parts[each] for each in range(1, gathering.total + 1))
        handles, gathering.handles, gathering.is_whole = tuple(gathering.handles), [], True
        return Whole(payload, gathering.ports, handles)

    def expire(self, now: float) -> None:
        """Forget what is older than its time."""
        while self._gatherings:
            key, oldest = next(iter(self._gatherings.items()))
            if now < oldest.began_at + self._expire_seconds:
                return
            self._forget(key)

    def spent(self) -> list[Handle]:
        """The parts that will never be in a whole message, each handed back once."""
        spent, self._spent = self._spent, []
        return spent

    def _gathering(self, sender: str, part: Part, now: float) -> _Gathering[Handle]:
        assert part.concat is not None
        key = (sender, part.concat.reference)
        known = self._gatherings.get(key)
        if known is not None and self._agrees(known, part):
            return known
        if known is not None:
            self._forget(key)  # the sender has used its references up and begins again
        if self._senders.get(sender, 0) >= self._max_per_sender:
            self._forget(next(each for each in self._gatherings if each[0] == sender))
        if len(self._gatherings) >= self._max_messages:
            self._forget(next(iter(self._gatherings)))
        fresh = self._gatherings[key] = _Gathering(part.concat.total, part.ports, now)
        self._senders[sender] = self._senders.get(sender, 0) + 1
        return fresh

    @staticmethod
    def _agrees(known: _Gathering[Handle], part: Part) -> bool:
        """Whether this is another part, or the same part again, of the message that we know."""
        assert part.concat is not None
        if part.concat.total != known.total:
            return False
        return known.parts.get(part.concat.number, part.payload) == part.payload

    def _forget(self, key: Key) -> None:
        gone = self._gatherings.pop(key)
        self._spent += gone.handles
        left = self._senders.pop(key[0]) - 1
        if left:
            self._senders[key[0]] = left

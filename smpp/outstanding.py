"""Requests under way: sequence numbers, who asked, until when an answer is awaited, and what comes too late."""

from __future__ import annotations

from collections import OrderedDict
from itertools import takewhile

from smpp.commands import RESPONSE, Command
from smpp.events import Key
from smpp.framing import MAX_SEQUENCE

CARRIERS = frozenset({Command.SUBMIT_SM, Command.DELIVER_SM, Command.DATA_SM})
LATE_KEPT = 1000


class Waiting:
    """A request without an answer. ``is_late``: it was given up, but its answer would still be understood."""

    __slots__ = ("command", "due_at", "is_late", "key", "sent_at")

    def __init__(self, command: Command, key: Key, sent_at: float, due_at: float) -> None:
        self.command = command
        self.key = key
        self.sent_at = sent_at
        self.due_at = due_at
        self.is_late = False

    @property
    def is_message(self) -> bool:
        return self.command in CARRIERS


class Outstanding:
    """By sequence number, in the order in which they are due: all are given the same time.

    ``messages`` of them count against the window, ``enquiries`` are the questions whether anybody is there.
    """

    __slots__ = ("_late", "_sequence", "_waiting", "enquiries", "messages")

    def __init__(self) -> None:
        self.messages = 0
        self.enquiries = 0
        self._sequence = 0
        self._waiting: dict[int, Waiting] = {}
        self._late: OrderedDict[int, Waiting] = OrderedDict()

    def upcoming(self) -> int:
        """A sequence number for the next request: 1 to 0x7FFFFFFF, and none that is in use (3.2)."""
        while True:
            self._sequence = self._sequence % MAX_SEQUENCE + 1
            if self._sequence not in self._waiting:
                self._late.pop(self._sequence, None)
                return self._sequence

    def add(self, sequence: int, waiting: Waiting) -> None:
        self._waiting[sequence] = waiting
        self.messages += waiting.is_message
        self.enquiries += waiting.command == Command.ENQUIRE_LINK

    def answered(self, sequence: int, command: int) -> Waiting | None:
        """The request that a response or generic_nack answers; None when there is no such request."""
        waiting = self._waiting.get(sequence) or self._late.get(sequence)
        if waiting is None or command not in (waiting.command | RESPONSE, Command.GENERIC_NACK):
            return None
        if waiting.is_late:
            del self._late[sequence]
        else:
            self._remove(sequence)
        return waiting

    def overdue(self, now: float) -> list[Waiting]:
        """Give up what is due; a message's answer may still come and be understood."""
        found = list(takewhile(lambda item: now >= item[1].due_at, self._waiting.items()))
        for sequence, waiting in found:
            self._remove(sequence)
            if waiting.is_message:
                waiting.is_late = True
                self._late[sequence] = waiting
        while len(self._late) > LATE_KEPT:
            self._late.popitem(last=False)
        return [waiting for _, waiting in found]

    def deadline(self) -> float | None:
        """When the first of them is due."""
        return next((waiting.due_at for waiting in self._waiting.values()), None)

    def clear(self) -> list[Key]:
        """Forget all, and say which messages stay without an answer."""
        keys = [waiting.key for waiting in self._waiting.values() if waiting.is_message]
        self._waiting.clear()
        self._late.clear()
        self.messages = self.enquiries = 0
        return keys

    def _remove(self, sequence: int) -> None:
        waiting = self._waiting.pop(sequence)
        self.messages -= waiting.is_message
        self.enquiries -= waiting.command == Command.ENQUIRE_LINK

"""What an SMSC keeps: messages by the number they go to, until they are delivered or their time is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from smpp import Address, DeliverSm

MAX_KEPT = 100_000


@dataclass
class Message:
    """One deliver_sm to be. ``receipt_to`` is who wants to know what becomes of it.

    ``is_done``: it was acknowledged, if late, and is not to be delivered again.
    """

    message_id: str
    body: DeliverSm
    expires_at: float
    receipt_to: Address | None = None
    only_failure: bool = False
    due_at: float = 0.0
    attempts: int = field(default=0, compare=False)
    is_done: bool = False

    @property
    def destination(self) -> str:
        return str(self.body.destination)


class Store:
    """First come, first served for each number; a message that failed waits at the end until it is due."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._queues: dict[str, deque[Message]] = {}
        self._kept = 0

    def __len__(self) -> int:
        return self._kept

    @property
    def is_full(self) -> bool:
        return self._kept >= MAX_KEPT

    def new_id(self) -> str:
        return f"{next(self._ids):08x}"

    def put(self, message: Message) -> None:
        self._queues.setdefault(message.destination, deque()).append(message)
        self._kept += 1

    def numbers(self) -> Iterable[str]:
        """The numbers for which something waits; copy them before anything is put or taken."""
        return self._queues.keys()

    def take(self, number: str, now: float) -> Message | None:
        """The next message that is due to a number."""
        queue = self._queues.get(number)
        if queue is None:
            return None
        for _ in range(len(queue)):
            message = queue.popleft()
            if message.is_done:
                self._kept -= 1
            elif message.due_at <= now:
                self._kept -= 1
                self._tidy(number)
                return message
            else:
                queue.append(message)
        self._tidy(number)
        return None

    def _tidy(self, number: str) -> None:
        if not self._queues[number]:
            del self._queues[number]

    def expired(self, now: float) -> Iterator[Message]:
        """Take out what is too old."""
        for number, queue in list(self._queues.items()):
            old = [message for message in queue if message.expires_at <= now]
            if old:
                left = deque(message for message in queue if message.expires_at > now)
                self._queues[number] = left
                self._kept -= len(old)
                self._tidy(number)
            yield from (message for message in old if not message.is_done)

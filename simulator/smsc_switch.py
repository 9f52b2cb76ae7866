"""Store and forward: from an accepted message to its deliver_sm, again until it is acknowledged, and the receipt."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from simulator.smsc_faults import SmscFaults
from simulator.smsc_lines import Lines
from simulator.smsc_store import Message, Store
from smpp import Answered, Class, MessageState, Receipt, receipts

PUMPED_AT_ONCE = 16


class Switch:
    """Use it from one event loop, and `run` it there; ``counts`` tells what it did."""

    def __init__(
        self, lines: Lines, *, faults: SmscFaults, repeat_seconds: float, validity_seconds: float
    ) -> None:
        self.lines = lines
        self.store = Store()
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self.validity_seconds = validity_seconds
        self._repeat_seconds = repeat_seconds
        self._loop = asyncio.get_running_loop()
        self._held: dict[str, list[Message]] = {}
        self._later: set[asyncio.TimerHandle] = set()

    def accept(self, message: Message) -> None:
        """Forward a message, or do to it what is wrong."""
        copies = self.faults.copies()
        self.counts["dropped"] += copies == 0
        for number in range(copies):
            copy = message if number == 0 else replace(message, receipt_to=None)
            (self._hold if self.faults.reorder > 1 else self._keep)(copy)

    def _hold(self, message: Message) -> None:
        held = self._held.setdefault(message.destination, [])
        held.append(message)
        if len(held) >= self.faults.reorder:
            self._release(message.destination)
        elif len(held) == 1:
            self.later(self._repeat_seconds, lambda: self._release(message.destination))

    def _release(self, number: str) -> None:
        for message in reversed(self._held.pop(number, [])):
            self._keep(message)

    def _keep(self, message: Message) -> None:
        self.store.put(message)
        self._pump(message.destination)

    def pump_all(self) -> None:
        """Hand on whatever can be handed on."""
        for number in list(self.store.numbers()):
            self._pump(number)

    def _pump(self, number: str) -> None:
        """Hand on what is due to a number, as far as the window of whoever holds it allows."""
        line, now = self.lines.to(number), self._loop.time()
        while line is not None and line.session.room(now):
            message = self.store.take(number, now)
            if message is None:
                return
            self.counts["delivered" if not message.attempts else "repeated"] += 1
            message.attempts += 1
            line.wire.act(line.session.deliver(message.body, message, now))

    def answered(self, event: Answered) -> None:
        """What the receiver said of a deliver_sm."""
        message = event.key
        assert isinstance(message, Message)
        if message.is_done or (event.was_late and event.outcome is not Class.OK):
            return  # it is delivered already, or waits to be delivered again
        if event.outcome is Class.OK:
            message.is_done = True
            self.counts["acknowledged"] += 1
            self._tell(message, MessageState.DELIVERED)
        elif event.outcome is Class.NEVER:
            self._tell(message, MessageState.UNDELIVERABLE)
        else:
            self.repeat(message)
        self._pump(message.destination)
        for number in list(islice(self.store.numbers(), PUMPED_AT_ONCE)):
            self._pump(number)  # one ESME may hold many numbers, and its window has room again

    def repeat(self, message: object) -> None:
        """Nobody has taken it: try again in a while."""
        assert isinstance(message, Message)
        message.due_at = self._loop.time() + self._repeat_seconds
        self.store.put(message)
        self.later(self._repeat_seconds + 0.001, lambda: self._pump(message.destination))

    def _tell(self, message: Message, state: MessageState) -> None:
        """A receipt goes the way of any message: it waits until the sender is there."""
        if message.receipt_to is None or (message.only_failure and state is MessageState.DELIVERED):
            return
        self.counts["receipts"] += 1
        receipt = receipts.write(
            Receipt(message.message_id, state),
            source=message.body.destination,
            destination=message.receipt_to,
            at=f"{datetime.now(UTC):%y%m%d%H%M}",
        )
        expires_at = self._loop.time() + self.validity_seconds
        self._keep(Message(self.store.new_id(), receipt, expires_at))

    async def run(self) -> None:
        """Look regularly for what is due or too old, until cancelled."""
        while True:
            await asyncio.sleep(min(1.0, self._repeat_seconds))
            for message in list(self.store.expired(self._loop.time())):
                self.counts["expired"] += 1
                self._tell(message, MessageState.EXPIRED)
            self.pump_all()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Now, or so many seconds from now unless it is closed before."""
        if seconds <= 0:
            act()
            return

        def fire() -> None:
            self._later.discard(handle)
            act()

        handle = self._loop.call_later(seconds, fire)
        self._later.add(handle)

    def close(self) -> None:
        """Forget what was to be done later."""
        for handle in self._later:
            handle.cancel()
        self._later.clear()

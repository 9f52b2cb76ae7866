"""The group commit: what arrives while a commit is in flight is written by the next one, then all are answered.

One writer thread owns one database connection. There is no linger: when the thread is idle, one message is a batch.
Nothing is answered before its batch is committed. A batch that fails because of the data in it is tried again one by
one, so that a poisonous message hurts only its sender; a batch that fails because of the database fails whole.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from django.db import Error, InterfaceError, OperationalError, connection

from southbound.counters import Counters

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

QUEUE_LIMIT = 8_192
BATCH_LIMIT = 512


class GroupCommit(Generic[Item, Result]):
    """`write` runs on the writer thread in one transaction; `answer` runs on the loop, with None where it failed."""

    def __init__(
        self,
        *,
        write: Callable[[Sequence[Item]], Sequence[Result]],
        answer: Callable[[Sequence[tuple[Item, Result | None]]], None],
        counters: Counters,
        queue_limit: int = QUEUE_LIMIT,
        batch_limit: int = BATCH_LIMIT,
    ) -> None:
        self._write = write
        self._answer = answer
        self._counters = counters
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._queue: deque[Item] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    async def stop(self, timeout_seconds: float = 2.0) -> None:
        """Commit what is queued, deliver the answers, and end the thread."""
        self._closing = True
        self._wake.set()
        thread = self._thread
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, thread.join, timeout_seconds)
            await asyncio.sleep(0)  # answers were scheduled on this loop before the thread ended

    def submit(self, item: Item) -> bool:
        """Queue `item` for the next commit; False when the queue is full or closing."""
        if len(self._queue) >= self._queue_limit or self._closing:
            self._counters.overloaded += 1
            return False
        self._queue.append(item)
        if not self._wake.is_set():
            self._wake.set()
        return True

    def _run(self) -> None:
        try:
            while True:
                self._wake.wait()
                self._wake.clear()
                while self._queue:
                    self._commit_next()
                if self._closing and not self._queue:
                    return
        finally:
            connection.close()

    def _commit_next(self) -> None:
        batch: list[Item] = []
        queue = self._queue
        while queue and len(batch) < self._batch_limit:
            batch.append(queue.popleft())
        answers = self._commit(batch)
        self._counters.batches += 1
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._answer, answers)
            except RuntimeError:  # the loop is gone; the devices will ask again
                return

    def _commit(self, batch: Sequence[Item]) -> list[tuple[Item, Result | None]]:
        try:
            results = self._write(batch)
        except (OperationalError, InterfaceError) as error:
            self._failed(batch, error)
            return [(item, None) for item in batch]
        except Exception as error:
            if len(batch) > 1:
                logger.warning("batch_split size=%d error=%s", len(batch), type(error).__name__)
                return [answer for item in batch for answer in self._commit([item])]
            self._failed(batch, error)
            if not isinstance(error, Error):
                logger.exception("message_unstorable")
            return [(batch[0], None)]
        self._counters.committed += len(batch)
        return list(zip(batch, results, strict=True))

    def _failed(self, batch: Sequence[Item], error: Exception) -> None:
        self._counters.failed_batches += 1
        logger.warning("batch_failed size=%d error=%s: %s", len(batch), type(error).__name__, error)
        connection.close()  # the next batch begins with a connection that works, if there is one


class GroupCommits(Generic[Item, Result]):
    """Several group commits side by side: while one waits for the database, another one computes.

    Items of one `key` always go to the same one, so that they stay in order.
    """

    def __init__(self, parts: Sequence[GroupCommit[Item, Result]], key: Callable[[Item], Hashable]) -> None:
        self._parts = parts
        self._key = key

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        for part in self._parts:
            part.start(loop)

    async def stop(self, timeout_seconds: float = 2.0) -> None:
        await asyncio.gather(*(part.stop(timeout_seconds) for part in self._parts))

    def submit(self, item: Item) -> bool:
        """False when the queue that it belongs to is full or closing."""
        return self._parts[hash(self._key(item)) % len(self._parts)].submit(item)

"""The group commit: what arrives while a commit is in flight is written by the next one, then all are answered.

One writer thread owns one database connection. There is no linger: when the thread is idle, one message is a batch.
Nothing is answered before its batch is committed.

A batch is not one fate. One that fails because of the data in it is tried again one by one, so that a poisonous message
hurts only its sender. One that lost a deadlock is tried again as it is. One that waits too long for somebody's lock is
halved until only those wait that are concerned. Only a database that is away fails a batch whole. And an answer that
cannot be given is one answer: the others are given, and that message may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from django.db import Error, InterfaceError, OperationalError, connection, connections, transaction

from audit import collisions
from southbound.counters import Counters
from southbound.threads.guard import Guard

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

QUEUE_LIMIT = 8_192
BATCH_LIMIT = 512
FIRST_IN_BATCH = 448
"""At most so many of a batch are of those that go first, so that the others get on, too."""
DEADLOCK_TRIES = 4
BACK_OFF_SECONDS = 0.02
HURRIED_MILLISECONDS = 200
"""So long the halves of a batch wait for a lock that the whole of it waited for in vain."""


class GroupCommit(Generic[Item, Result]):
    """`write` runs on the writer thread, in one transaction.

    `answer` and then `follow` are called on the loop for each item, with None where it was not stored: `answer` speaks
    to whoever waits, first for the whole batch; `follow` does what comes of it. If `answer` raises, it is called once
    more with None; what `follow` raises is logged, and the sweeps find what it left undone.
    """

    def __init__(
        self,
        *,
        name: str,
        write: Callable[[Sequence[Item]], Sequence[Result]],
        answer: Callable[[Item, Result | None], None],
        follow: Callable[[Item, Result | None], None] | None = None,
        counters: Counters,
        guard: Guard | None = None,
        queue_limit: int = QUEUE_LIMIT,
        batch_limit: int = BATCH_LIMIT,
    ) -> None:
        self.name = name
        self._write = write
        self._answer = answer
        self._follow = follow
        self._counters = counters
        self._guard = guard or Guard()
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._queue: deque[Item] = deque()
        self._first: deque[Item] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.Thread(target=self._run, name=f"commit {self.name}", daemon=True)
        self._thread.start()

    async def stop(self, timeout_seconds: float = 2.0) -> None:
        """Commit what is queued, deliver the answers, and end the thread."""
        self._closing = True
        self._wake.set()
        thread = self._thread
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, thread.join, timeout_seconds)
            await asyncio.sleep(0)  # answers were scheduled on this loop before the thread ended

    @property
    def is_closing(self) -> bool:
        """Nothing more is taken."""
        return self._closing

    def submit(self, item: Item, *, is_first: bool = False) -> bool:
        """Queue `item` for the next commit; False when its queue is full or closing.

        `is_first`: before all that are not. Whoever proved who they are does not wait behind whoever did not.
        """
        queue = self._first if is_first else self._queue
        if len(queue) >= self._queue_limit or self._closing:
            self._counters.overloaded += 1
            return False
        queue.append(item)
        if not self._wake.is_set():
            self._wake.set()
        return True

    # -- on the writer thread --------------------------------------------------------------------------------
    def _run(self) -> None:
        try:
            while True:
                self._wake.wait()
                self._wake.clear()
                while self._queue or self._first:
                    self._commit_next()
                if self._closing and not self._queue and not self._first:
                    return
        except BaseException as error:  # whatever it is: nobody else would commit here
            self._closing = True  # what comes now is refused and not swallowed
            self._guard.died(f"commit {self.name}", error)
        finally:
            _drop_connection()

    def _commit_next(self) -> None:
        batch: list[Item] = []
        for queue, room in (
            (self._first, min(self._batch_limit, FIRST_IN_BATCH)),
            (self._queue, self._batch_limit),
        ):
            while queue and len(batch) < room:
                batch.append(queue.popleft())
        answers = self._commit(batch)
        self._counters.batches += 1
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._deliver, answers)
            except RuntimeError:  # the loop is gone; the devices will ask again
                return

    def _commit(self, batch: Sequence[Item], *, is_hurried: bool = False) -> list[tuple[Item, Result | None]]:
        try:
            results = self._tried(batch, is_hurried)
        except (OperationalError, InterfaceError) as error:
            if collisions.is_lock_timeout(error) and len(batch) > 1:
                return self._halved(batch)
            return self._failed(batch, error)
        except Exception as error:
            if len(batch) > 1:
                logger.warning("batch_split size=%d error=%s", len(batch), type(error).__name__)
                return [answer for item in batch for answer in self._commit([item], is_hurried=is_hurried)]
            if not isinstance(error, Error):
                logger.exception("message_unstorable")
            return self._failed(batch, error)
        if len(results) != len(batch):  # committed, but whose is whose? each may be repeated
            logger.error("results_unlike_batch size=%d results=%d", len(batch), len(results))
            return [(item, None) for item in batch]
        self._counters.committed += len(batch)
        return list(zip(batch, results, strict=True))

    def _tried(self, batch: Sequence[Item], is_hurried: bool) -> Sequence[Result]:
        """Written, also after a deadlock or two: the other one is through by then."""
        for attempt in range(1, DEADLOCK_TRIES):
            try:
                return self._written(batch, is_hurried)
            except OperationalError as error:
                if not collisions.is_deadlock(error):
                    raise
                self._counters.deadlocks += 1
                logger.warning("batch_again size=%d attempt=%d error=%s", len(batch), attempt, error)
                time.sleep(random.uniform(0, BACK_OFF_SECONDS * attempt))  # noqa: S311
        return self._written(batch, is_hurried)

    def _written(self, batch: Sequence[Item], is_hurried: bool) -> Sequence[Result]:
        if not is_hurried:
            return self._write(batch)
        with transaction.atomic():
            _hurry()
            return self._write(batch)

    def _halved(self, batch: Sequence[Item]) -> list[tuple[Item, Result | None]]:
        """Somebody holds a row of it: find whose, and let the others through."""
        logger.warning("batch_halved size=%d", len(batch))
        middle = len(batch) // 2
        return [
            answer
            for half in (batch[:middle], batch[middle:])
            for answer in self._commit(half, is_hurried=True)
        ]

    def _failed(self, batch: Sequence[Item], error: Exception) -> list[tuple[Item, Result | None]]:
        self._counters.failed_batches += 1
        logger.warning("batch_failed size=%d error=%s: %s", len(batch), type(error).__name__, error)
        if not collisions.is_lock_timeout(error):
            _drop_connection()  # the next batch begins with one that works, if there is one
        return [(item, None) for item in batch]

    # -- on the loop -----------------------------------------------------------------------------------------
    def _deliver(self, answers: Sequence[tuple[Item, Result | None]]) -> None:
        answered = [(item, result) for item, result in answers if self._is_answered(item, result)]
        if self._follow is None:
            return
        for item, result in answered:
            try:
                self._follow(item, result)
            except Exception:
                self._counters.broken += 1
                logger.exception("follow_up_failed commits=%s", self.name)

    def _is_answered(self, item: Item, result: Result | None) -> bool:
        try:
            self._answer(item, result)
            return True
        except Exception:
            self._counters.broken += 1
            logger.exception("answer_failed commits=%s", self.name)
        try:
            self._answer(item, None)
        except Exception:
            logger.exception("answer_failed_again commits=%s", self.name)
        return False


def _drop_connection() -> None:
    """Close this thread's connection; one that cannot even be closed is forgotten."""
    try:
        connection.close()
    except Exception as error:
        logger.warning("connection_unclosable error=%s: %s", type(error).__name__, error)
        raw = connection.connection
        del connections[connection.alias]
        with contextlib.suppress(Exception):
            raw.close()
            if connection.vendor == "postgresql" and raw._pool is not None:
                raw._pool.putconn(raw)  # or the pool would count it as used for ever


def _hurry() -> None:
    """Shorter waits for locks in this transaction, where the database has such a thing."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {HURRIED_MILLISECONDS}")


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

    def submit(self, item: Item, *, is_first: bool = False) -> bool:
        """False when the queue that it belongs to is full or closing."""
        return self._parts[hash(self._key(item)) % len(self._parts)].submit(item, is_first=is_first)

"""Gathers device ids that come one by one on the loop, and works them off in batches by one task.

So a storm of registrations costs what follows it a few queries, and not a few for each device.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from django.db import InterfaceError, OperationalError

from southbound.threads.database import Database

logger = logging.getLogger(__name__)

BATCH_LIMIT = 500
PAUSE_SECONDS = 1.0

Waiting = dict[int, None]
Work = Callable[[Sequence[list[int]]], Sequence[Sequence[int]]]
"""On a database thread: ids of each kind in, those to look at once more out, by kind or nothing at all."""


class Gathering:
    """`add` and `drop` are called on the loop. Without the database the same is tried once more.

    A device that nothing can be done with is given up alone.
    """

    def __init__(self, name: str, database: Database, work: Work, *, kinds: int) -> None:
        self._name = name
        self._database = database
        self._work = work
        self._waiting: list[Waiting] = [{} for _ in range(kinds)]
        self._task: asyncio.Task[None] | None = None

    def add(self, kind: int, device_id: int) -> None:
        self._waiting[kind][device_id] = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    def drop(self, kind: int, device_id: int) -> None:
        """It is not to be worked off any more."""
        self._waiting[kind].pop(device_id, None)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while any(self._waiting):
            taken = [_take(waiting) for waiting in self._waiting]
            try:
                again = await self._worked_off(taken)
            except (OperationalError, InterfaceError) as error:
                logger.warning("%s_failed error=%s: %s", self._name, type(error).__name__, error)
                self._put_back(taken)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            for waiting, left in zip(self._waiting, again, strict=False):
                waiting.update(dict.fromkeys(left))  # after what came meanwhile

    async def _worked_off(self, taken: Sequence[list[int]]) -> Sequence[Sequence[int]]:
        """Those to look at once more. One device that nothing can be done with keeps none of the others."""
        try:
            return await self._database.run(self._work, taken)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            if sum(map(len, taken)) == 1:
                (device_id,) = (one for ids in taken for one in ids)
                logger.exception("%s_gave_up device=%d", self._name, device_id)
                return ()
            logger.warning("%s_split error=%s: %s", self._name, type(error).__name__, error)
        again: list[list[int]] = [[] for _ in taken]
        for kind, ids in enumerate(taken):
            for device_id in ids:
                alone = [[device_id] if each == kind else [] for each in range(len(taken))]
                for left, more in zip(again, await self._worked_off(alone), strict=False):
                    left.extend(more)
        return again

    def _put_back(self, taken: Sequence[list[int]]) -> None:
        """Before what came meanwhile."""
        self._waiting = [dict.fromkeys(old) | new for old, new in zip(taken, self._waiting, strict=True)]


def _take(waiting: Waiting) -> list[int]:
    taken = list(waiting)[:BATCH_LIMIT]
    for device_id in taken:
        del waiting[device_id]
    return taken

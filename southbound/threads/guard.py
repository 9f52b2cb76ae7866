"""Watches what must run as long as the process does: when a part of it dies, the process ends and is started again.

A process that lives on without its writer takes messages and answers nobody, and nothing looks wrong from outside.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

logger = logging.getLogger(__name__)

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h; the service manager starts the process again."""


class Guard:
    """`died` may be called on any thread, `watch` and `wait` on the loop that `start` was given."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._death = asyncio.Event()
        self._is_over = False
        self.words = ""
        """Which part died, and of what; empty while all live."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def stand_down(self) -> None:
        """The process ends as it was asked to: from now on parts may end."""
        self._is_over = True

    def died(self, part: str, error: BaseException | None) -> None:
        """A part ended that should not."""
        if self._is_over:
            return
        logger.critical("part_died part=%s", part, exc_info=error)
        what = "it just ended" if error is None else f"{type(error).__name__}: {error}"
        self.words = self.words or f"{part} died ({what})"
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._death.set)

    def watch(self, task: asyncio.Task[Any]) -> None:
        """This task must not end by itself."""
        task.add_done_callback(self._ended)

    async def wait(self) -> str:
        """Until a part has died; then which, and of what."""
        await self._death.wait()
        return self.words

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.died(task.get_name(), None if task.cancelled() else task.exception())

"""The embedded channel layer: Channels' in-memory layer, made safe to call from the other threads of the process.

Celery's thread and sync views send from loops of their own; an in-memory queue must only be touched on the loop its
readers wait on, so a send from elsewhere hops there first.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from channels.layers import InMemoryChannelLayer


class InProcessChannelLayer(InMemoryChannelLayer):
    """In-memory layer bound to the loop of the process that serves; before that it behaves like its parent."""

    home: asyncio.AbstractEventLoop | None = None

    def __init__(self, **options: Any) -> None:
        """Nobody leaves a group by waiting: a page on the wall stays live for months.

        Who is gone without a word leaves it when the first message that nobody fetched expires.
        """
        super().__init__(**{"group_expiry": math.inf, **options})

    @classmethod
    def settle(cls, loop: asyncio.AbstractEventLoop | None) -> None:
        """Name the loop on which consumers and southbound live."""
        cls.home = loop

    async def _at_home(self, coroutine: Any) -> Any:
        home = type(self).home
        if home is None or home.is_closed() or home is asyncio.get_running_loop():
            return await coroutine
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, home))

    async def send(self, channel: str, message: dict) -> None:
        await self._at_home(super().send(channel, message))

    async def group_send(self, group: str, message: dict) -> None:
        await self._at_home(super().group_send(group, message))

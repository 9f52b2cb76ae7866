"""Live pages over WebSocket: hear that a device changed, read what the viewer may see, send fragments.

`LiveConsumer` is the base for the live pages of all rooms; they say who may listen, to which groups,
and what to render. Nothing here decides what a page shows: the same templates draw the first load and every
change.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import AnonymousUser

from live import groups, readers, sessions

logger = logging.getLogger(__name__)

NOT_ALLOWED = 4403
TRY_AGAIN = 1012
FAILED = 1011


threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live-pages")
"""All live pages of a process share these, so that they hold few database connections."""


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return await database_sync_to_async(function, thread_sensitive=False, executor=threads)(*args)


class Fragment(TypedDict):
    """`html` replaces what stands at the element with the id `target`."""

    target: str
    html: str


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Sends the whole state on connecting, so that nothing between page load and now is lost, then changes.

    Changes within `coalesce_seconds` become one look; one that takes long makes the pauses longer. With
    `tick_seconds` it also looks when nothing was said: a device falls asleep without a word. Who may listen
    is asked anew at every look: losing a role ends the page, and so does the end of the session that opened it
    (signing out, another password, being switched off). Methods without `async` run in a thread.
    """

    coalesce_seconds = 0.2
    tick_seconds: float | None = None
    again_seconds: float | None = None  # `render` may set it, to be asked once more before the next tick

    def allowed(self, user: sessions.Person, kwargs: Mapping[str, Any]) -> bool:
        """Whether this person may listen here; `kwargs` are those of the route."""
        raise NotImplementedError

    def groups_for(self, user: Any, kwargs: Mapping[str, Any]) -> list[str]:
        """The channel groups that tell of what the page shows."""
        raise NotImplementedError

    def render(self, changed_ids: frozenset[int] | None) -> list[Fragment]:
        """Fragments of what changed; None asks for everything. `self.user` and `self.kwargs` are at hand."""
        raise NotImplementedError

    # -- the connection --------------------------------------------------------------------------------------

    async def connect(self) -> None:
        self.user: sessions.Person = AnonymousUser()
        self.kwargs: Mapping[str, Any] = self.scope["url_route"]["kwargs"]
        self._changed: set[int] = set()
        self._everything = True
        self._wake = asyncio.Event()
        self._looker: asyncio.Task[None] | None = None
        await self.accept()  # a browser only learns the close code of a connection that was accepted
        joined = await _in_thread(self._enter)
        if joined is None:
            await self.close(NOT_ALLOWED)
            return
        self.groups = joined
        for group in (*joined, groups.EVERYONE):
            await self.channel_layer.group_add(group, self.channel_name)
        self._wake.set()
        self._looker = asyncio.create_task(self._look_on())

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(groups.EVERYONE, self.channel_name)
        looker = getattr(self, "_looker", None)
        if looker is not None and looker is not asyncio.current_task():
            looker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looker

    async def person_signed_off(self, message: dict[str, Any]) -> None:
        """Somewhere this person signed off. This very session is over at once; another one is looked at."""
        if message["session"] and message["session"] == sessions.digest(self._session_key()):
            await self.close(NOT_ALLOWED)
            return
        self._wake.set()

    def _session_key(self) -> str | None:
        return getattr(self.scope.get("session"), "session_key", None)

    async def receive(self, *args: Any, **kwargs: Any) -> None:
        """Pages only listen; whatever is sent is not even parsed."""

    async def device_changed(self, message: dict[str, Any]) -> None:
        self._changed.add(message["device_id"])
        self._wake.set()

    async def devices_changed(self, message: dict[str, Any]) -> None:
        """So many devices changed at once that nobody says which."""
        self._everything = True
        self._wake.set()

    # -- looking ---------------------------------------------------------------------------------------------

    async def _look_on(self) -> None:
        try:
            while True:
                waits = [one for one in (self.tick_seconds, self.again_seconds) if one is not None]
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(
                        min(waits, default=None)
                    ):  # `wait_for` can swallow a cancellation
                        await self._wake.wait()
                self._wake.clear()
                changed = None if self._everything else frozenset(self._changed)
                self._changed.clear()
                self._everything = False
                started = time.monotonic()
                code, fragments = await _in_thread(self._look, changed)
                if not await self._told(code, fragments):
                    return
                await asyncio.sleep(max(self.coalesce_seconds, 2 * (time.monotonic() - started)))
        except Exception:
            logger.exception("live_page_failed page=%s", type(self).__name__)
            await self.close(FAILED)

    async def _told(self, code: int, fragments: list[Fragment]) -> bool:
        """Whether the page is still open afterwards; a reader may close it while a fragment is on its way."""
        try:
            for fragment in fragments:
                await self.send_json(fragment)
            if code:
                await self.close(code)
        except OSError:  # how uvicorn says that nobody is there any more
            return False
        return not code

    def _enter(self) -> list[str] | None:
        """The groups to join, or None for whoever may not listen. Reads the session anew, and with it the roles."""
        self.user = sessions.person(self._session_key())
        if not self.user.is_authenticated or not self.allowed(self.user, self.kwargs):
            return None
        return [*self.groups_for(self.user, self.kwargs), groups.person(self.user.pk)]

    def _look(self, changed: frozenset[int] | None) -> tuple[int, list[Fragment]]:
        joined = self._enter()
        if joined is None:
            return NOT_ALLOWED, []
        if joined != self.groups:  # another role: the page comes back and joins anew
            return TRY_AGAIN, []
        with readers.written_for(self.user, self.scope):
            return 0, self.render(changed)

"""The file server of a southbound process: its port, the generation behind it, and what is told of a transfer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from django.conf import settings

from devices.packages.services import packages
from southbound.counters import Counters
from southbound.files.gate import Gate
from southbound.files.generation import Generation
from southbound.files.shelf import Shelf
from southbound.files.site import Sent, site
from southbound.listeners.rates import SourceRates
from southbound.listeners.sockets import bind
from southbound.threads.database import Database
from southbound.tracing.recorder import Tracing

logger = logging.getLogger(__name__)

REQUESTS_A_GENERATION = 8_192
"""aiocoap keeps 4.8 kB of each: 40 MB."""
LINGER_SECONDS = 2.0
"""How long the answers of a generation that was left are still carried out."""
RETRY_SECONDS = 5.0
END_SECONDS = 2.0
KEPT = 1_024
TOLD_AGAIN_SECONDS = 600.0
"""A block that is asked for twice within that is one that got lost."""


class FileServer:
    """`bind` takes the port, `start` listens on it; without a port both do nothing. No other part waits for it."""

    def __init__(
        self, address: str, port: int | None, *, shared: bool, counters: Counters, database: Database
    ) -> None:
        self._address = address
        self._wanted = port
        self._shared = shared
        self._counters = counters
        self._database = database
        self._tracing: Tracing | None = None
        self._gate: Gate | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._present: Generation | None = None
        self._port: int | None = None
        self._count = 0
        self.generations = 0
        """How many there were so far."""
        self._renewing: asyncio.Task[None] | None = None
        self._told: OrderedDict[tuple[int, int | None, bool], float] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_off(self) -> bool:
        return self._wanted is None

    @property
    def port(self) -> int:
        assert self._gate is not None
        return self._gate.port

    @property
    def peers(self) -> int:
        """How many devices are kept in mind now."""
        return 0 if self._gate is None else len(self._gate)

    def bind(self) -> None:
        """Raises `PortUnavailable`."""
        if self._wanted is None:
            return
        self._gate = Gate(
            bind(self._address, self._wanted, setting="COAP_FILES_PORT", shared=self._shared),
            counters=self._counters,
            rates=SourceRates(
                time.monotonic, per_host=settings.NOSEC_RATE, per_network=settings.NOSEC_NETWORK_RATE
            ),
            port_of=lambda: self._port,
            forwarded=self._forwarded,
            per_second=settings.COAP_FILES_RATE,
        )

    def start(self, loop: asyncio.AbstractEventLoop, tracing: Tracing) -> None:
        """What comes before aiocoap is ready is dropped; a device asks again."""
        if self._gate is not None:
            self._loop, self._tracing = loop, tracing
            self._gate.start(loop)
            self._renew()

    def pause(self) -> None:
        if self._gate is not None:
            self._gate.pause()

    async def stop(self) -> None:
        """Leave every transfer where it is: its device asks for the next block later."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        present, self._present, self._port = self._present, None, None
        if present is not None:
            present.end()
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if present is not None:
            await asyncio.to_thread(present.join, END_SECONDS)

    def close(self) -> None:
        """Give the port back."""
        if self._gate is not None:
            self._gate.close()

    # -- generations -----------------------------------------------------------------------------------------
    def _forwarded(self) -> None:
        self._count += 1
        if self._count >= REQUESTS_A_GENERATION:
            self._renew()

    def _renew(self) -> None:
        if self._loop is not None and (self._renewing is None or self._renewing.done()):
            self._renewing = self._loop.create_task(self._change(), name="files renew")
            self._renewing.add_done_callback(self._renewed)

    def _renewed(self, renewing: asyncio.Task[None]) -> None:
        """One that broke while the one before it was still ending is followed by another."""
        if not renewing.cancelled() and self._present is not None and self._port is None:
            self._renew()

    async def _change(self) -> None:
        """The next generation takes over, then the one before it ends."""
        assert self._gate is not None
        following = await self._begun()
        before, self._present = self._present, following
        self._port, self._count = following.ready.result(), 0
        self.generations += 1
        close = self._gate.leave()
        try:
            if before is not None:
                await asyncio.sleep(LINGER_SECONDS)
        finally:
            close()
            if before is not None:
                before.end()

    async def _begun(self) -> Generation:
        """One that listens; the present one goes on until there is one."""
        assert self._loop is not None
        while True:
            following = Generation(lambda: site(Shelf(self._database), self._hear))
            following.over.add_done_callback(partial(self._hear_end, following))
            try:
                following.start()
                await asyncio.wrap_future(following.ready)
            except asyncio.CancelledError:
                following.end()
                raise
            except Exception as error:
                logger.warning("files_not_served error=%s: %s", type(error).__name__, error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return following

    def _hear_end(self, generation: Generation, over: object) -> None:
        self._soon(lambda: self._ended(generation))

    def _ended(self, generation: Generation) -> None:
        """A thread is over: as it should, unless it is the present one."""
        if generation is self._present:
            logger.error("files_broke error=%r", generation.over.exception())
            self._port = None
            self._renew()

    # -- what is told ----------------------------------------------------------------------------------------
    def _hear(self, sent: Sent) -> None:
        """In the thread of a generation."""
        self._soon(lambda: self._sent(sent))

    def _soon(self, act: Callable[[], None]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(act)
        except RuntimeError:  # the process has ended meanwhile
            return

    def _sent(self, sent: Sent) -> None:
        """A first or last block left. Each is told once, however often it had to be repeated."""
        if sent.start == 0 and self._is_news(sent, is_end=False):
            self._trace(sent)
        if sent.is_last and self._is_news(sent, is_end=True):
            if sent.start:
                self._trace(sent)
            assert self._loop is not None
            task = self._loop.create_task(self._keep(sent), name="files fetched")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _is_news(self, sent: Sent, *, is_end: bool) -> bool:
        key = (sent.package.package_id, sent.device_id, is_end)
        told_at = self._told.pop(key, None)
        if told_at is not None and sent.at - told_at < TOLD_AGAIN_SECONDS:
            self._told[key] = told_at
            return False
        self._told[key] = sent.at
        if len(self._told) > KEPT:
            self._told.popitem(last=False)
        return True

    def _trace(self, sent: Sent) -> None:
        if sent.device_id is not None and self._tracing is not None:
            self._tracing.fetched(
                sent.device_id, sent.package.name, sent.at, sent.start, sent.length, sent.package.size
            )

    async def _keep(self, sent: Sent) -> None:
        try:
            await self._database.run(packages.fetched, package=sent.package, device_id=sent.device_id)
        except Exception as error:  # a count is a help, not a promise
            logger.warning("fetch_not_told error=%s: %s", type(error).__name__, error)

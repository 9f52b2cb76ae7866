"""One aiocoap server context, on a thread and a loop of its own, for a bounded number of requests.

aiocoap remembers each request with its answer for EXCHANGE_LIFETIME (247 s, RFC 7252 section 4.8.2), which only its
loop's end makes it forget. So whoever forwards to it begins a new generation now and then, and ends this one.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future

import aiocoap
from aiocoap import resource

HOST = "127.0.0.1"
TRANSPORTS = ["simplesocketserver"]
"""aiocoap's own for one address, which is loopback: no IPv6 is needed, and no TCP port is opened beside."""
ATTEMPTS = 8
LOGGER = "southbound.files.aiocoap"
logging.getLogger(LOGGER).setLevel(
    logging.ERROR
)  # its warnings are about what peers do, and as many as they like


class Generation:
    """`ready` is its port, or why there is none; `over` is done when its thread is, with the error that ended it."""

    def __init__(self, make_site: Callable[[], resource.Site]) -> None:
        self._make_site = make_site
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)
        self._is_ended = False
        self.ready: Future[int] = Future()
        self.over: Future[None] = Future()

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Answer no more; what it kept goes with its loop. Does not wait."""
        self._is_ended = True
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            try:
                loop.call_soon_threadsafe(stop.set)
            except RuntimeError:  # it has ended by itself
                return

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            (self.over if self.ready.done() else self.ready).set_exception(error)
        if not self.ready.done():
            self.ready.cancel()
        if not self.over.done():
            self.over.set_result(None)

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._is_ended:
            return
        context, port = await _listening(self._make_site())
        try:
            self.ready.set_result(port)
            await self._stop.wait()
        finally:
            await context.shutdown()


async def _listening(site: resource.Site) -> tuple[aiocoap.Context, int]:
    """aiocoap does not say which port it took, so it is told a free one, and another if that was taken meanwhile."""
    for _ in range(ATTEMPTS - 1):
        port = _free_port()
        try:
            return await _bound(site, port), port
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    port = _free_port()
    return await _bound(site, port), port


async def _bound(site: resource.Site, port: int) -> aiocoap.Context:
    return await aiocoap.Context.create_server_context(
        site, bind=(HOST, port), transports=TRANSPORTS, loggername=LOGGER
    )


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

"""The whole portal in one process: web, southbound, Celery worker and beat on one machine, for `manage.py portal`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

import uvicorn
from channels.layers import get_channel_layer
from django.conf import settings

from m2m_portal import web_connections
from m2m_portal.asgi import application
from m2m_portal.channel_layer import InProcessChannelLayer
from m2m_portal.embedded_celery import EmbeddedCelery
from southbound.process import descriptors
from southbound.process.worker import Southbound
from southbound.threads.guard import Guard

STOP_SECONDS = 3
WATCH_SECONDS = 1.0


class QuietServer(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process has one owner of signals, `serve`."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield


class PartDied(Exception):
    """A part of the process ended that must not; the sentence says which."""


async def serve(*, ready: Callable[[], None]) -> None:
    """Run until SIGINT or SIGTERM; `ready` is called once everything listens.

    Raises `PartDied` when a thread or task that must not end did: whoever keeps the process starts it again.
    """
    loop = asyncio.get_running_loop()
    InProcessChannelLayer.settle(loop)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    descriptors.raise_limit()
    web = QuietServer(
        uvicorn.Config(
            application,
            host=settings.BIND_ADDRESS,
            port=settings.HTTP_PORT,
            log_level="warning",
            lifespan="off",
            proxy_headers=False,  # `client_address` counts our proxies; nobody else is believed
            timeout_graceful_shutdown=1,
            **web_connections.options(),
        )
    )
    southbound = Southbound(channel_layer=get_channel_layer())
    await southbound.start()
    serving = asyncio.create_task(web.serve(), name="web")
    try:
        with EmbeddedCelery() as celery:
            while not web.started and not serving.done():
                await asyncio.sleep(0.02)
            if web.started:
                ready()
            ends = [
                serving,
                asyncio.create_task(stop.wait(), name="stop"),
                asyncio.create_task(southbound.guard.wait(), name="guard"),
                asyncio.create_task(_watch(celery, southbound.guard), name="celery watch"),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            web.should_exit = True
            celery.ask_to_stop()
            await southbound.stop()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(serving, STOP_SECONDS)
            if southbound.guard.words:
                raise PartDied(f"{southbound.threads.guard.words}; start the portal again.")
    finally:
        InProcessChannelLayer.settle(None)


async def _watch(celery: EmbeddedCelery, guard: Guard) -> None:
    """Until a thread of the worker or of beat has ended."""
    while not (name := celery.dead()):
        await asyncio.sleep(WATCH_SECONDS)
    guard.died(name, None)

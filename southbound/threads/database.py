"""Where the loop meets the database, apart from the group commit: a few threads, each with its own connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 4


class Database:
    """Runs services off the loop. Closing waits for what runs and closes every thread's connection."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="southbound-db")

    async def run(self, service: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def call() -> T:
            try:
                return service(*args, **kwargs)
            finally:
                close_old_connections()  # with a pool: given back for whoever is next

        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def close(self, timeout_seconds: float = 2.0) -> None:
        barrier = threading.Barrier(self._threads)

        def part() -> None:
            connections.close_all()
            try:
                barrier.wait(timeout_seconds)  # so that each thread gets exactly one of these
            except threading.BrokenBarrierError:
                return

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._executor, part) for _ in range(self._threads)))
        self._executor.shutdown(wait=False)

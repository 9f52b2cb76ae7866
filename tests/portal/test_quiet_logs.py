"""What a whole process says again and again is one line a minute."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import socket

import pytest

from m2m_portal import quiet_logs
from m2m_portal.quiet_logs import QUIET_SECONDS, Repetitions


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(quiet_logs.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def log():
    """A logger with a handler as the settings make it, and what it wrote."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(Repetitions())
    logger = logging.getLogger("tests.quiet")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield logger, lambda: written.getvalue().splitlines()
    logger.removeHandler(handler)


def test_the_same_words_are_one_line_a_minute_with_their_number(clock, log):
    logger, lines = log
    for _ in range(5_000):
        logger.warning("task_failed task=%s error=%s", "_beat", "too many open files")
    logger.warning("task_failed task=%s error=%s", "_sweep", "too many open files")
    clock.now += QUIET_SECONDS
    logger.warning("task_failed task=%s error=%s", "_beat", "too many open files")
    assert lines() == [
        "task_failed task=_beat error=too many open files",
        "task_failed task=_sweep error=too many open files",
        "task_failed task=_beat error=too many open files (and 4999 times more)",
    ]


def test_what_is_no_warning_passes(clock, log):
    logger, lines = log
    for _ in range(3):
        logger.info("started")
    assert lines() == ["started"] * 3


def test_words_that_are_remembered_are_bounded(clock, log):
    logger, lines = log
    for number in range(3_000):
        logger.warning("line %d", number)
    assert len(lines()) == 3_000
    (kept,) = logger.handlers[0].filters
    assert len(kept._told) == Repetitions.KEPT


def test_a_process_without_descriptors_says_so_once_and_accepts_again(log):
    """asyncio tries a hundred times in a row and again each second; each try is a line of its own."""
    logger, lines = log

    class Full(socket.socket):
        is_full = True

        def accept(self):
            if self.is_full:
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    async def scene():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: logger.error(context["message"]))
        bound = Full()
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        bound.setblocking(False)
        accepted = asyncio.Event()

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport):
                accepted.set()
                transport.close()

        server = await loop.create_server(Protocol, sock=bound)
        _, writer = await asyncio.open_connection(*bound.getsockname())
        async with asyncio.timeout(30):
            while not lines():
                await asyncio.sleep(0.01)
            bound.is_full = False
            await accepted.wait()
        writer.close()
        server.close()

    asyncio.run(scene())
    assert any("out of system resource" in line for line in lines())
    assert len(lines()) == len(set(lines())), "each of asyncio's two lines once"

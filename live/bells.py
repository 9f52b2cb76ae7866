"""Carries what `events` say to the channel layer and to Celery's broker; a failure never reaches the caller.

Threads of its own carry the messages wherever Redis is between the processes, so that a dead Redis costs the
writers nothing, and wherever a process calls `start`; changes of one device within `COALESCE_SECONDS` then
become one message, and many devices in one moment become one message for all pages: a storm of registrations costs
the channel layer no more than a quiet minute. Otherwise everything is in this process, and the calling thread sends
at once.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from asgiref.sync import async_to_sync
from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings

from live import groups

logger = logging.getLogger(__name__)

COALESCE_SECONDS = 0.2
MANY = 50  # devices in one moment; beyond that the pages are told to look again instead of where
MANY_SECONDS = 1.0
LIMIT = 50_000  # messages held while the layer or the broker is slow; beyond that the sweep has to find them
SEND_SECONDS = 3.0
WARN_SECONDS = 10.0

DETAILS = {"trace"}  # only the device's own pages show these

Change = tuple[int, int, tuple[str, ...]]  # device id, operator id, what
Task = tuple[str, int]


def changed(changes: Sequence[Change]) -> None:
    """Devices changed, as their pages, their operators' boards and the superusers' board hear it."""
    _ring(changes=changes)


def channel(name: str, message: dict[str, Any]) -> None:
    """One message for one channel, not coalesced."""
    _ring(channels=[(name, message)])


def tasks(calls: Iterable[Task]) -> None:
    """Celery tasks by name with one id each; the same call twice within a moment is one call."""
    _ring(calls=list(calls))


def start() -> None:
    """Carry messages by a thread of this process from now on; harmless to call again."""
    global _carrier
    if _carrier is not None and _carrier.is_ours():
        return
    with _lock:
        if _carrier is None or not _carrier.is_ours():
            _carrier = _Carrier()
            _carrier.start()
            atexit.register(stop)  # a command that ends at once has rung all the same


def stop(timeout_seconds: float = 2.0) -> None:
    """Send what is left, then go back to sending at once."""
    global _carrier
    with _lock:
        carrier, _carrier = _carrier, None
    if carrier is not None and carrier.is_ours():
        carrier.close(timeout_seconds)
    atexit.unregister(stop)


def _ring(
    *,
    changes: Sequence[Change] = (),
    channels: Sequence[tuple[str, dict[str, Any]]] = (),
    calls: Sequence[Task] = (),
) -> None:
    if settings.REDIS_URL:
        start()
    carrier = _carrier
    if carrier is not None and carrier.is_ours():
        carrier.put(changes, channels, calls)
        return
    try:
        if changes or channels:
            async_to_sync(_send_in_time)(_merged(changes), channels)
    except Exception as error:
        _lost("channel layer", error)
    try:
        _send_tasks(dict.fromkeys(calls))
    except Exception as error:
        _lost("broker", error)


def _merged(changes: Iterable[Change]) -> dict[tuple[int, int], list[str]]:
    merged: dict[tuple[int, int], list[str]] = {}
    for device_id, operator_id, what in changes:
        known = merged.setdefault((device_id, operator_id), [])
        known.extend(word for word in what if word not in known)
    return merged


async def _send_messages(
    changes: dict[tuple[int, int], list[str]], channels: Iterable[tuple[str, dict[str, Any]]]
) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    for name, message in channels:
        await layer.send(name, message)
    if len(changes) > MANY:
        await layer.group_send(groups.EVERYONE, {"type": "devices.changed"})
        return
    for (device_id, operator_id), what in changes.items():
        message = {"type": "device.changed", "device_id": device_id, "what": what}
        boards = () if set(what) <= DETAILS else (groups.operator(operator_id), groups.BOARD)
        for group in (groups.device(device_id), *boards):
            await layer.group_send(group, message)


async def _send_in_time(
    changes: dict[tuple[int, int], list[str]], channels: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    await asyncio.wait_for(_send_messages(changes, channels), SEND_SECONDS + len(changes) / 500)


def _send_tasks(calls: Iterable[Task]) -> None:
    for name, argument in calls:
        current_app.send_task(name, args=[argument], ignore_result=True, retry=False)


_warned_at: dict[str, float] = {}


def _lost(where: str, error: Exception) -> None:
    """Warn, but not ten thousand times while Redis is down."""
    now = time.monotonic()
    if now - _warned_at.get(where, -WARN_SECONDS) >= WARN_SECONDS:
        _warned_at[where] = now
        logger.warning("bell_lost where=%s error=%s: %s", where, type(error).__name__, error)


class _Carrier:
    """Two threads, one for the channel layer and one for the broker; a forked child makes its own."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._wake = threading.Condition()
        self._changes: dict[tuple[int, int], list[str]] = {}
        self._channels: deque[tuple[str, dict[str, Any]]] = deque(maxlen=LIMIT)
        self._calls: dict[Task, None] = {}
        self._closing = False
        self._loop = asyncio.new_event_loop()
        self._something = asyncio.Event()
        self._messenger = threading.Thread(target=self._messages, name="bells-channels", daemon=True)
        self._ringer = threading.Thread(target=self._tasks, name="bells-tasks", daemon=True)

    def is_ours(self) -> bool:
        return self._pid == os.getpid() and self._messenger.is_alive() and self._ringer.is_alive()

    def start(self) -> None:
        self._messenger.start()
        self._ringer.start()

    def close(self, timeout_seconds: float) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify_all()
            self._loop.call_soon_threadsafe(self._something.set)
        self._messenger.join(timeout_seconds)
        self._ringer.join(timeout_seconds)

    def put(
        self,
        changes: Sequence[Change],
        channels: Sequence[tuple[str, dict[str, Any]]],
        calls: Sequence[Task],
    ) -> None:
        with self._wake:
            if self._closing:
                return
            for device_id, operator_id, what in changes:
                known = self._changes.setdefault((device_id, operator_id), [])
                known.extend(word for word in what if word not in known)
            while len(self._changes) > LIMIT:
                self._changes.pop(next(iter(self._changes)))
            self._channels.extend(channels)
            if len(self._calls) < LIMIT:
                self._calls.update(dict.fromkeys(calls))
            if calls:
                self._wake.notify_all()
            if changes or channels:
                self._loop.call_soon_threadsafe(self._something.set)

    def _messages(self) -> None:
        try:
            self._loop.run_until_complete(self._carry_messages())
        finally:
            self._loop.close()

    async def _carry_messages(self) -> None:
        """Nudges leave at once; changes are held for a moment after the last ones left."""
        changes_after = 0.0
        while True:
            wait = max(0.0, changes_after - time.monotonic()) if self._changes else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._something.wait()
            changes, channels, closing = self._take(changes_after)
            if changes:
                pause = COALESCE_SECONDS if len(changes) <= MANY else MANY_SECONDS
                changes_after = time.monotonic() + pause
            if changes or channels:
                try:
                    await _send_in_time(changes, channels)
                except Exception as error:
                    _lost("channel layer", error)
            if closing:
                return

    def _take(
        self, changes_after: float
    ) -> tuple[dict[tuple[int, int], list[str]], list[tuple[str, dict[str, Any]]], bool]:
        with self._wake:
            self._something.clear()
            changes: dict[tuple[int, int], list[str]] = {}
            if self._closing or time.monotonic() >= changes_after:
                changes, self._changes = self._changes, {}
            channels = list(self._channels)
            self._channels.clear()
            return changes, channels, self._closing

    def _tasks(self) -> None:
        while True:
            with self._wake:
                while not self._calls and not self._closing:
                    self._wake.wait()
                calls, self._calls = self._calls, {}
                closing = self._closing
            try:
                _send_tasks(calls)
            except Exception as error:
                _lost("broker", error)
            if closing:
                return


_lock = threading.Lock()
_carrier: _Carrier | None = None

"""Many devices in one process: started at a rate, counted, and stopped together."""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from collections.abc import AsyncIterable
from dataclasses import dataclass

from simulator.device import Device, State

SPARE_FILES = 64


class TooManyDevices(Exception):
    """Every device has a socket, and the system does not allow so many; the text says how to allow more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A fleet at one moment; ``updates_per_second`` since the moment before."""

    devices: int
    bootstrapping: int
    registered: int
    waiting: int
    bootstraps: int
    registrations: int
    updates: int
    updates_per_second: float

    def __str__(self) -> str:
        return (
            f"{self.registered}/{self.devices} registered, {self.bootstrapping} bootstrapping, "
            f"{self.waiting} failed and waiting, {self.bootstraps} bootstraps, "
            f"{self.updates} updates ({self.updates_per_second:.0f}/s)"
        )


class Fleet:
    """Owns the devices it is given. Use it from one event loop.

    ``per_second`` spaces the starts out: a thousand handshakes at once are a test of their own.
    """

    def __init__(self, per_second: float = 50.0) -> None:
        self.devices: list[Device] = []
        self.counts: Counter[str] = Counter()
        self._interval = 1.0 / per_second
        self._seen = (time.monotonic(), 0)

    async def start(self, devices: AsyncIterable[Device]) -> None:
        """Switch the devices on, one after the other at the fleet's rate. Raises `TooManyDevices`."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        async for device in devices:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + self._interval, loop.time() - 1.0)
            self.add(device)

    def add(self, device: Device) -> None:
        """Switch one device on now. Raises `TooManyDevices`."""
        if len(self.devices) % 100 == 0:
            allow_sockets(2 * (len(self.devices) + 100))
        device.listeners.append(self._count)
        self.devices.append(device)
        device.start()

    def _count(self, device: Device, event: str, detail: str) -> None:
        self.counts[event] += 1

    def progress(self) -> Progress:
        """Where the fleet is now."""
        states = Counter(device.state for device in self.devices)
        now, updates = time.monotonic(), self.counts["updated"]
        before, updates_before = self._seen
        self._seen = (now, updates)
        return Progress(
            devices=len(self.devices),
            bootstrapping=states[State.BOOTSTRAPPING],
            registered=states[State.REGISTERED],
            waiting=states[State.WAITING],
            bootstraps=self.counts["bootstrapped"],
            registrations=self.counts["registered"],
            updates=updates,
            updates_per_second=(updates - updates_before) / max(now - before, 0.001),
        )

    async def stop(self, *, deregister: bool = False, within_seconds: float = 2.0) -> None:
        """Switch every device off; with ``deregister`` they say good-bye as far as the time allows."""
        stopping = [
            device.stop(deregister=deregister, within_seconds=within_seconds) for device in self.devices
        ]
        await asyncio.gather(*stopping)
        self.devices.clear()


def allow_sockets(count: int) -> None:
    """Raise this process's limit of open files. Raises `TooManyDevices` when the system's limit is below.

    A device has one socket, and for a while a second one between its bootstrap server and its server.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise TooManyDevices(
            f"{count} sockets are needed and {hard} files allowed; raise it with: ulimit -n {wanted}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

"""Virtual devices for tests that are not coroutines: they live in an event loop on a thread of their own.

    with workshop() as devices:
        device = devices.start("urn:dev:7", bootstrap=uri, identity="boot", key=key)
        devices.wait(device, lambda: device.is_registered)
        devices.do(device.update())

A flow test gets one as the fixture `devices` by ``from tests.fakes.workshop import devices`` in its conftest.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from simulator.device import Device
from tests.fakes.devices import new_device

T = TypeVar("T")


class Workshop:
    """Call it from the test; the devices run elsewhere, so read them but change them only by `do` and `call`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.devices: list[Device] = []

    def start(self, endpoint: str, **what: Any) -> Device:
        """A device as `tests.fakes.devices.new_device` makes it, switched on."""
        return self.do(self._start(endpoint, what))

    async def _start(self, endpoint: str, what: dict[str, Any]) -> Device:
        device = new_device(endpoint, **what)
        device.start()
        self.devices.append(device)
        return device

    def wait(self, device: Device, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Until something is true of the device; the error tells what the device did instead."""
        try:
            self.do(device.until(condition, seconds), seconds + 5)
        except TimeoutError:
            raise AssertionError(f"{device.state}: {list(device.journal)[-10:]}") from None

    def do(self, work: Coroutine[Any, Any, T], seconds: float = 60.0) -> T:
        """Run a coroutine of a device, such as ``device.update()``, and hand its result over."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def call(self, act: Callable[[], T]) -> T:
        """Run a function of a device where it lives, such as ``device.rebind``."""

        async def called() -> T:
            return act()

        return self.do(called())

    async def _stop(self) -> None:
        await asyncio.gather(*(device.stop() for device in self.devices))


@contextmanager
def workshop() -> Iterator[Workshop]:
    """Every device that was started inside the block is switched off at its end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="workshop")
    thread.start()
    shop = Workshop(loop)
    try:
        yield shop
    finally:
        shop.do(shop._stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@pytest.fixture
def devices() -> Iterator[Workshop]:
    """A workshop for one test."""
    with workshop() as shop:
        yield shop

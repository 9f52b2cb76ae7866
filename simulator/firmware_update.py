"""`/5`, Firmware Update: pushed, or pulled by CoAP or HTTP, checked, installed (`OMA-TS-LightweightM2M_Core E.6`).

The four states and the results are those of the object; each result has its real reason in a package or a server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any

from lwm2m.paths import Path
from simulator import downloads, firmware_packages
from simulator.equipment import Host, not_executable
from simulator.firmware_packages import Package

PACKAGE, URI, UPDATE, STATE, RESULT, NAME, VERSION, PROTOCOLS, DELIVERY = 0, 1, 2, 3, 5, 6, 7, 8, 9
COAP, HTTP, BOTH = 0, 2, 2
"""Of `/5/0/8` and `/5/0/9`: pulls by CoAP and by HTTP 1.1, takes push and pull."""

INSTALL_SECONDS = 0.05
RESET = (b"", b"\0")


class State(IntEnum):
    IDLE = 0
    DOWNLOADING = 1
    DOWNLOADED = 2
    UPDATING = 3


class Result(IntEnum):
    NONE = 0
    SUCCESS = 1
    NO_STORAGE = 2
    NO_MEMORY = 3
    CONNECTION_LOST = 4
    CORRUPT = 5
    WRONG_TYPE = 6
    BAD_URI = 7
    FAILED = 8
    WRONG_PROTOCOL = 9


class FirmwareUpdate:
    """Storage and memory are as large as the device's firmware says (`Firmware.flash`)."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._package: Package | None = None
        self._task: asyncio.Task[None] | None = None
        host.tree.set_instance(
            5,
            0,
            {
                URI: "",
                STATE: int(State.IDLE),
                RESULT: int(Result.NONE),
                NAME: "",
                VERSION: "",
                PROTOCOLS: {0: COAP, 1: HTTP},
                DELIVERY: BOTH,
            },
        )
        host.tree.listeners.append(self._written)

    def execute(self, path: Path, arguments: bytes) -> Callable[[], None] | None:
        """Update, only when a package is there."""
        if path.ids[2] != UPDATE:
            raise not_executable(path)
        if self._host.tree.value(5, 0, STATE) != State.DOWNLOADED:
            raise not_executable(path, "needs a package first")
        return lambda: self._begin(self._install())

    def close(self) -> None:
        """The device is switched off."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _written(self, path: Path) -> None:
        if path == Path(5, 0, PACKAGE):
            content = self._host.tree.value(5, 0, PACKAGE)
            if isinstance(content, bytes):
                self._host.tree.remove(path)  # it is in the flash, not in the tree
                self._take(None if content in RESET else self._check(content))
        elif path == Path(5, 0, URI):
            uri = self._host.tree.value(5, 0, URI)
            self._take(self._pull(uri) if isinstance(uri, str) and uri else None)

    def _take(self, work: Coroutine[Any, Any, None] | None) -> None:
        """Whatever was there is gone; ``work`` brings the new package, None resets the machine."""
        self.close()
        self._package = None
        self._tell(State.IDLE, Result.NONE)
        if work is not None:
            self._tell(State.DOWNLOADING, Result.NONE)
            self._begin(work)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)

    async def _check(self, content: bytes) -> None:
        """Judge what has arrived, after the write was answered."""
        await asyncio.sleep(0)
        package = firmware_packages.read(content)
        flash = self._host.firmware.flash
        if len(content) > flash.storage_bytes:
            self._tell(State.IDLE, Result.NO_STORAGE)
        elif len(content) > flash.memory_bytes:
            self._tell(State.IDLE, Result.NO_MEMORY)
        elif package is None:
            self._tell(State.IDLE, Result.WRONG_TYPE)
        elif not package.is_whole:
            self._tell(State.IDLE, Result.CORRUPT)
        else:
            self._package = package
            self._host.tree.set(f"/5/0/{NAME}", "firmware")
            self._host.tree.set(f"/5/0/{VERSION}", package.version)
            self._tell(State.DOWNLOADED, Result.NONE)

    async def _pull(self, uri: str) -> None:
        try:
            content = await downloads.get(uri, self._host.firmware.tuning)
        except downloads.WrongProtocol:
            self._tell(State.IDLE, Result.WRONG_PROTOCOL)
        except downloads.NotThere:
            self._tell(State.IDLE, Result.BAD_URI)
        except downloads.BrokenOff:
            self._tell(State.IDLE, Result.CONNECTION_LOST)
        else:
            await self._check(content)

    async def _install(self) -> None:
        """Success starts the device again with its new version; a failure leaves the package where it is."""
        package = self._package
        self._tell(State.UPDATING, Result.NONE)
        await asyncio.sleep(INSTALL_SECONDS)
        if package is None or not package.installs:
            self._tell(State.DOWNLOADED, Result.FAILED)
            return
        self._package = None
        self._host.tree.set("/3/0/3", package.version)
        self._tell(State.IDLE, Result.SUCCESS)
        self._host.reboot()

    def _tell(self, state: State, result: Result) -> None:
        """The result first, so that whoever hears of a state can read how it came to it."""
        tree = self._host.tree
        for number, value in ((RESULT, result), (STATE, state)):
            if tree.value(5, 0, number) != value:
                tree.set(f"/5/0/{number}", int(value))

"""What the objects beyond the core do by themselves: a kind is one file, and one line in `simulator.equipping`.

Objects that only hold values need none of this; their first values stand in `simulator.plain_objects`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.paths import Path
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from simulator.traffic import Traffic


class Host(Protocol):
    """What equipment sees of the device that it is built into."""

    tree: ObjectTree
    firmware: Firmware
    listeners: list[Any]
    """Called with the device, an event and its detail for whatever happens to it."""

    @property
    def traffic(self) -> Traffic:
        """What was said so far on the connections that stand."""

    def reboot(self) -> None:
        """Start again, as after an update of the firmware."""


class Equipment(Protocol):
    """Made once for a device; it puts its instance into the tree."""

    def execute(self, path: Path, arguments: bytes) -> Callable[[], None] | None:
        """Execute; returns what is to happen after the answer. Raises 4.05 for what cannot be executed now."""

    def close(self) -> None:
        """The device is switched off: stop whatever runs."""


def not_executable(path: Path, why: str = "cannot be executed") -> Lwm2mError:
    return Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} {why}.")

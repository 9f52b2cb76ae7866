"""Builds into a device the objects that its firmware names (`Firmware.objects`)."""

from __future__ import annotations

from collections.abc import Callable

from simulator.equipment import Equipment, Host
from simulator.event_log import EventLog
from simulator.firmware_update import FirmwareUpdate
from simulator.objects import ObjectTree
from simulator.plain_objects import INSTANCES
from simulator.statistics import Statistics

EQUIPMENT: dict[int, Callable[[Host], Equipment]] = {5: FirmwareUpdate, 7: Statistics, 20: EventLog}


def add_plain(tree: ObjectTree, object_ids: tuple[int, ...]) -> None:
    """The objects that only hold values."""
    for object_id in object_ids:
        if object_id in INSTANCES:
            tree.set_instance(object_id, 0, INSTANCES[object_id])
        elif object_id not in EQUIPMENT:
            tree.add_object(object_id)


def built_in(host: Host, object_ids: tuple[int, ...]) -> dict[int, Equipment]:
    """The objects that do something, by their number."""
    return {object_id: EQUIPMENT[object_id](host) for object_id in object_ids if object_id in EQUIPMENT}

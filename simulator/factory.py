"""How a device leaves the factory: its accounts from the nameplate, and the objects it is made of."""

from __future__ import annotations

import math
import time
from functools import partial
from zlib import crc32

from simulator.equipping import add_plain
from simulator.nameplate import Firmware, Nameplate
from simulator.objects import Instance, ObjectTree, Sensor
from simulator.uris import ServerAddress

NO_SECURITY = 3
PRE_SHARED_KEY = 0

FACTORY_SHORT_SERVER_ID = 1


def new_tree(nameplate: Nameplate, firmware: Firmware) -> ObjectTree:
    """The tree of a device that was just unpacked."""
    tree = ObjectTree()
    if nameplate.bootstrap_uri is not None:
        tree.set_instance(0, 0, _account(nameplate, nameplate.bootstrap_uri, bootstrap=True))
        tree.add_object(1)
    elif nameplate.server_uri is not None:
        tree.set_instance(0, 0, _account(nameplate, nameplate.server_uri, bootstrap=False))
        tree.set_instance(1, 0, server_instance(FACTORY_SHORT_SERVER_ID, firmware))
    tree.set_instance(3, 0, _device(nameplate, firmware))
    tree.set_instance(4, 0, _connectivity())
    tree.set_instance(3303, 0, _thermometer(nameplate.endpoint))
    add_plain(tree, firmware.objects)
    return tree


def _account(nameplate: Nameplate, uri: str, *, bootstrap: bool) -> Instance:
    """``/0/x`` (`OMA-TS-LightweightM2M_Core E.1`); without security 3, 4 and 5 are left out."""
    secured = ServerAddress.parse(uri).is_secured
    account: Instance = {0: uri, 1: bootstrap, 2: PRE_SHARED_KEY if secured else NO_SECURITY}
    if secured:
        account |= {3: nameplate.identity, 5: nameplate.key}
    number = ServerAddress.parse(uri).number or nameplate.sms_number
    if number:
        account |= {6: NO_SECURITY, 9: number.removeprefix("+")}
    if not bootstrap:
        account[10] = FACTORY_SHORT_SERVER_ID
    return account


def server_instance(short_server_id: int, firmware: Firmware) -> Instance:
    """``/1/x`` (`OMA-TS-LightweightM2M_Core E.2`)."""
    binding = firmware.binding
    if firmware.queue_mode and firmware.version == "1.0":
        binding += "Q"
    return {0: short_server_id, 1: firmware.lifetime_seconds, 6: True, 7: binding}


def _device(nameplate: Nameplate, firmware: Firmware) -> Instance:
    """``/3/0`` with the resources of the interoperability configurations C.1 and C.4."""
    return {
        0: "Virtual Devices",
        1: f"LwM2M {firmware.version} simulator",
        2: nameplate.endpoint,
        3: "1.0.0",
        6: {0: 1, 1: 2},
        7: {0: 3800, 1: 5000},
        8: {0: 125, 1: 900},
        9: 100 - crc32(nameplate.endpoint.encode()) % 60,
        10: 15,
        11: {0: 0},
        13: _now,
        14: "+00:00",
        15: "Etc/UTC",
        16: firmware.binding,
    }


def _connectivity() -> Instance:
    """``/4/0``, an LTE Cat-M device with a fair signal."""
    return {0: 6, 1: {0: 6}, 2: -85, 3: -10, 4: {0: "127.0.0.1"}, 8: 310012, 9: 1, 10: 26}


def _thermometer(endpoint: str) -> Instance:
    """``/3303/0``; every device swings at its own phase, so that a board of them looks alive."""
    phase = crc32(endpoint.encode()) % 600
    return {5700: Sensor(partial(_temperature, phase)), 5701: "Cel", 5601: 17.0, 5602: 25.0}


def _now() -> int:
    return int(time.time())


def _temperature(phase: int) -> float:
    return round(21 + 4 * math.sin((time.time() + phase) * math.tau / 600), 1)

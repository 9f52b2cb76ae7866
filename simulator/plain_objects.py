"""First values of objects that a device may have and that only hold values; a device names the ones it has.

An object without a line here begins without an instance, for a server to create one.
"""

from __future__ import annotations

import time

from lwm2m.nodes import ObjectLinkValue
from simulator.objects import Instance

OBJECT_LINK_TO_APN = ObjectLinkValue(11, 0)

INSTANCES: dict[int, Instance] = {
    6: {0: 60.17, 1: 24.94, 2: 25.0, 3: 12.5, 4: b"\x00\x10\x00\x07", 5: lambda: int(time.time()), 6: 0.0},
    10: {
        0: "+358400000000",
        1: 0,
        4: 3600,
        5: 20,
        8: b"\x05",
        11: {0: OBJECT_LINK_TO_APN},
        12: 3,
        13: 0,
        14: 0,
    },
    11: {0: "internet", 1: "internet.example", 3: True, 4: 0, 15: {0: "192.0.2.1"}, 24: 0},
    12: {
        0: "wlan0",
        1: True,
        3: 2,
        4: "0200005E0053",
        5: "field",
        8: 1,
        9: 6,
        14: 3,
        15: 0,
        33: 1000,
        34: 2000,
    },
    16: {0: {0: "host device", 1: "maker", 2: "model", 3: "serial"}},
    19: {0: {0: b"\x00\x01\x02", 1: b"second"}, 1: 0, 3: "meter", 4: "raw", 5: 7},
}

"""What this room says to the others, as `devices.inventory.events` does."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from live import bells
from live.listeners import Listeners

NUDGE = "device.nudge"
SETTLED = Listeners()
"""Of commands: these ended, and somebody had written a correlation on them to wait for that."""


def nudge(flow: str, device_id: int) -> None:
    """There is something in the mailbox: tell the southbound process that holds the device's flow."""
    if flow:
        transaction.on_commit(partial(bells.channel, flow, {"type": NUDGE, "device_id": device_id}))


def settled(command_id: int, correlation: str) -> None:
    """A command ended; without a correlation nobody waits for that."""
    if correlation:
        SETTLED.tell([command_id])

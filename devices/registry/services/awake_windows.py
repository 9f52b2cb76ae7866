"""How long a device listens after it spoke, where that is said of one device; `registry.awake` knows the others."""

from __future__ import annotations

from accounts.errors import Refused
from audit import ledger
from audit.actions import Action
from devices.inventory import events, locks
from devices.inventory.models import Device
from devices.inventory.services import device_trail
from devices.registry.awake import LIMIT_SECONDS


def set_seconds(*, device: Device, seconds: int | None, reason: str = "") -> Device:
    """How long it listens after it spoke, in queue mode; None: what the house has. Refused out of bounds."""
    if seconds is not None and not 1 <= seconds <= LIMIT_SECONDS:
        raise Refused("AWAKE_SECONDS_OUT_OF_RANGE", field="seconds", limit=LIMIT_SECONDS)
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        before = locked.awake_seconds
        if before == seconds:
            return locked
        locked.awake_seconds = seconds
        locked.save(update_fields=["awake_seconds"])
        known = {"awake_seconds": before}, {"awake_seconds": seconds}
        device_trail.record(
            locked, Action.DEVICE_AWAKE_WINDOW, before=known[0], after=known[1], reason=reason
        )
        events.device_changed(locked.pk, locked.operator_id, ["registration"])
    return locked

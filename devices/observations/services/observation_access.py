"""What becomes of a device's observations when it is suspended, barred, retired, or may connect again.

The caller holds the lock on the device. A device that may not connect is answered with a reset when it notifies, which
ends the observation at the device (RFC 7641 section 3.6); here it is written down at once.
"""

from __future__ import annotations

from datetime import datetime

from devices.inventory import events, locks
from devices.inventory.models import Device
from devices.observations.models import Observation, ObservationState
from devices.observations.services import observation_history, observations
from devices.registry.selectors import ways


def interrupted(*, device: Device) -> None:
    """Nothing is observed now; what is wanted stays wanted."""
    if observations.lost(device_ids=[device.pk]):
        events.device_changed(device.pk, device.operator_id, ["observations"])


def resumed(*, device: Device, now: datetime) -> None:
    """A registration that outlived the pause is asked at once, any other after its Register."""
    live = ways.live_registration(device).first()
    if live is not None:
        observations.reestablish(device_id=device.pk, registration_id=live.registration_id, now=now)


def ended(*, device: Device, reason: str, now: datetime) -> int:
    """Nobody wants anything of it any more; returns how many wishes that were."""
    wanted = locks.rows(Observation.objects).filter(device=device).exclude(state=ObservationState.ENDED)
    rows = list(wanted.order_by("pk"))
    for row in rows:
        row.state, row.ended_at = ObservationState.ENDED, now
        row.save(update_fields=["state", "ended_at"])
        observation_history.unwanted(row, device, by=observations.SYSTEM, reason=reason)
    if rows:
        events.device_changed(device.pk, device.operator_id, ["observations"])
    return len(rows)

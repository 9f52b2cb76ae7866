"""Executes /1/x/8 over the standing registration: a device that listens still updates at once."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device
from provisioning.ladder import ReachAttempt
from provisioning.rungs import standing
from provisioning.rungs.results import RungResult, Skipped

TITLE = _("Update trigger")
DID = _("asked to update")
WAIT_SECONDS = 300
UPDATE_TRIGGER = 8


def costs_sms(device: Device) -> bool:
    return False


def take(*, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult:
    found = standing.of(device)
    if found is None:
        return Skipped("NO_STANDING_REGISTRATION")
    if found.server is None:
        return Skipped("TRIGGER_UNSUPPORTED", "The device announced no Server object (/1).")
    path = f"/1/{found.server}/{UPDATE_TRIGGER}"
    return standing.execute(device=device, attempt=attempt, path=path, now=now)

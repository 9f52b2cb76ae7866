"""Executes /1/x/9 over the standing registration: a device that lost its settings asks for new ones."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device, Onboarding
from provisioning.ladder import ReachAttempt
from provisioning.rungs import standing
from provisioning.rungs.results import RungResult, Skipped

TITLE = _("Bootstrap trigger")
DID = _("asked to fetch its settings anew")
WAIT_SECONDS = 600
BOOTSTRAP_TRIGGER = 9


def costs_sms(device: Device) -> bool:
    return False


def take(*, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult:
    if device.onboarding != Onboarding.BOOTSTRAP:
        return Skipped("TRIGGER_UNSUPPORTED", "The device has its settings from the factory.")
    found = standing.of(device)
    if found is None:
        return Skipped("NO_STANDING_REGISTRATION")
    if found.server is None or found.version == "1.0":
        return Skipped("TRIGGER_UNSUPPORTED", "Execute /1/x/9 came with LwM2M 1.1.")
    path = f"/1/{found.server}/{BOOTSTRAP_TRIGGER}"
    return standing.execute(device=device, attempt=attempt, path=path, now=now)

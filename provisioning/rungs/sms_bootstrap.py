"""Executes /1/x/9 by SMS: the device asks the bootstrap server for its settings, whatever became of the old ones."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device, Onboarding
from devices.messaging.services import triggers
from provisioning.ladder import ReachAttempt
from provisioning.rungs import by_sms, standing
from provisioning.rungs.results import RungResult, Skipped

TITLE = _("SMS bootstrap")
DID = _("asked by SMS to fetch its settings anew")
WAIT_SECONDS = 1800


def costs_sms(device: Device) -> bool:
    return bool(device.msisdn) and device.onboarding == Onboarding.BOOTSTRAP


def take(*, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult:
    if device.onboarding != Onboarding.BOOTSTRAP:
        return Skipped("TRIGGER_UNSUPPORTED", "The device has its settings from the factory.")
    if standing.version_of(device) == "1.0":
        return Skipped("TRIGGER_UNSUPPORTED", "Execute /1/x/9 came with LwM2M 1.1.")
    return by_sms.send(device=device, kind=triggers.Kind.BOOTSTRAP, now=now)

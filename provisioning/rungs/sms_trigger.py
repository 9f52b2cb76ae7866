"""Executes /1/x/8 by SMS: a device whose radio listens for SMS alone opens its connection and updates."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device
from devices.messaging.services import triggers
from provisioning.ladder import ReachAttempt
from provisioning.rungs import by_sms
from provisioning.rungs.results import RungResult

TITLE = _("SMS trigger")
DID = _("asked to update by SMS")
WAIT_SECONDS = 900


def costs_sms(device: Device) -> bool:
    return bool(device.msisdn)


def take(*, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult:
    return by_sms.send(device=device, kind=triggers.Kind.UPDATE, now=now)

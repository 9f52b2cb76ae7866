"""Asks the device's gateway whether it still hears the device: reads /25, which tells of all that are there."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.gateways.services import end_device_asks
from devices.inventory.models import Device, Reach
from devices.registry.models import Registration
from devices.registry.selectors import ways
from provisioning.ladder import ReachAttempt
from provisioning.rungs.results import RungResult, Skipped, Taken

TITLE = _("Via gateway")
DID = _("looked for at its gateway")
WAIT_SECONDS = 300


def costs_sms(device: Device) -> bool:
    return False


def take(*, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult:
    if device.reach != Reach.GATEWAY:
        return Skipped("NOT_BEHIND_GATEWAY")
    gateway = ways.gateway(device)
    if gateway is None:
        return Skipped("NOT_BEHIND_GATEWAY")
    if not Registration.objects.live().filter(device=gateway).exists():
        return Skipped("GATEWAY_OFFLINE", gateway.endpoint)
    end_device_asks.ask_again(gateway_ids=[gateway.pk], now=now, reason=f"{device} was lost behind it.")
    return Taken(gateway.endpoint)

"""Executes /1/x/8 by SMS: a device whose radio listens for SMS alone opens its connection and updates."""

from __future__ import annotations

from datetime import datetime

from devices.errors import Refused
from devices.models import Device, Reach
from devices.services import triggers
from provisioning.ladder import ReachAttempt
from provisioning.rungs.results import RungResult, Skipped, Taken

TITLE = "SMS trigger"
DID = "asked to update by SMS"
WAIT_SECONDS = 900


def costs_sms(device: Device) -> bool:
    return bool(device.msisdn)


def take(*, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult:
    if device.reach == Reach.GATEWAY:
        return Skipped("TRIGGER_UNSUPPORTED", "It has no phone number of its own.")
    if not device.msisdn:
        return Skipped("MSISDN_MISSING")
    try:
        sent = triggers.send(
            device=device,
            kind=triggers.Kind.UPDATE,
            requested_by="system",
            reason="The device missed its contact",
            now=now,
        )
    except Refused as refusal:
        return Skipped(refusal.cause, refusal.detail)
    return Taken(f"SMS {sent.pk}", sms=1)

"""What the rungs send by SMS: a trigger to the device's own number."""

from __future__ import annotations

from datetime import datetime

from accounts.errors import Refused
from devices.inventory.models import Device, Reach
from devices.messaging.services import triggers
from provisioning.rungs.results import REASON, RungResult, Skipped, Taken


def send(*, device: Device, kind: triggers.Kind, now: datetime) -> RungResult:
    """Left out for a device without a number of its own, and where the trigger is refused."""
    if device.reach == Reach.GATEWAY:
        return Skipped("TRIGGER_UNSUPPORTED", "It has no phone number of its own.")
    if not device.msisdn:
        return Skipped("MSISDN_MISSING")
    try:
        sent = triggers.send(device=device, kind=kind, requested_by="system", reason=REASON, now=now)
    except Refused as refusal:
        return Skipped(refusal.cause, refusal.recorded)
    return Taken(f"SMS {sent.pk}", sms=1)

"""Tells the support desk that the portal has done what it can: one event in the ledger for each attempt."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device
from provisioning.ladder import ReachAttempt
from provisioning.rungs.results import RungResult, Taken

TITLE = _("Ticket")
DID = _("handed to the support desk")
WAIT_SECONDS = 0


def costs_sms(device: Device) -> bool:
    return False


def take(*, attempt: ReachAttempt, device: Device, now: datetime) -> RungResult:
    tried = [one["kind"] for one in attempt.taken if not one.get("skipped") and one["kind"] != "wait"]
    if not tried:
        return Taken("nothing could be tried", ticket_cause="DEVICE_UNTRIED_TICKET")
    return Taken(f"tried: {', '.join(tried)}", ticket_cause="DEVICE_UNREACHABLE_TICKET")

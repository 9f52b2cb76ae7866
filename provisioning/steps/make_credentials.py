"""Makes the key for the management server, never the one for the bootstrap server; a session writes it."""

from __future__ import annotations

from datetime import datetime

from devices.inventory.models import Device, Onboarding
from devices.inventory.services import credentials
from provisioning.models import JobStep
from provisioning.selectors import contacts
from provisioning.services import profiles
from provisioning.steps.results import Done, Skipped, StepResult

TITLE = "Make management credentials"


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    if device.onboarding == Onboarding.DIRECT or not profiles.needs_key(device):
        return Skipped()
    if contacts.registration(device, since=step.job.created_at) is not None:
        return Skipped()  # it has one and uses it
    credential = credentials.pending_management(device.pk) or credentials.make_management(device=device)
    return Done({"credential_id": credential.pk, "psk_identity": credential.identity})


def due() -> None:
    return None

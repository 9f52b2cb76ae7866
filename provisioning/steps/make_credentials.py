"""Makes the credential for the management server, never the one for the bootstrap server; a session writes it."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device, Onboarding
from devices.inventory.services import credentials
from provisioning.models import JobStep
from provisioning.profiles import profiles
from provisioning.selectors import contacts
from provisioning.steps.results import Done, Skipped, StepResult

TITLE = _("Make management credentials")


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    mode = profiles.written_mode(device, profiles.default_of(device.operator_id))
    if device.onboarding == Onboarding.DIRECT or not mode.is_secured:
        return Skipped()
    if contacts.registration(device, since=step.job.created_at) is not None:
        return Skipped()  # it has one and uses it
    credential = credentials.ensure_management(device=device, kind=mode.name)
    return Done({"credential_id": credential.pk, "identity": credential.identity})


def due() -> None:
    return None

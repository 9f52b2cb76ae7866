"""Is everything there that the rest needs: an active operator and device, and what it comes with."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Credential, Device, Reach
from devices.inventory.services import devices
from devices.inventory.states import Access
from devices.messaging.models import SmscLink
from provisioning.models import JobStep
from provisioning.steps.results import Done, Failed, StepResult

TITLE = _("Check inventory")


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    if not device.operator.is_active:
        return Failed("OPERATOR_INACTIVE", "Make the operator active, then start the job again.")
    if device.access != Access.ACTIVE:
        return Failed(
            f"DEVICE_{device.access.upper()}", f"The device is {device.get_access_display().lower()}."
        )
    if device.reach == Reach.GATEWAY:
        return Done()  # its gateway's channel is its security
    mode = device.security_mode
    if mode.by_number and not SmscLink.objects.filter(pk=device.operator_id, is_enabled=True).exists():
        return Failed("SMSC_LINK_MISSING", "Set up the SMSC link of the operator, then start the job again.")
    if mode.needs_consent and not device.operator.allows_nosec:
        return Failed("NOSEC_NOT_ALLOWED", "The operator no longer allows devices without encryption.")
    if mode.is_secured and not _has_credential(device):
        return Failed("PSK_IDENTITY_UNKNOWN", "The device has no key; remove it and add it again.")
    return Done()


def _has_credential(device: Device) -> bool:
    rows = Credential.objects.filter(device=device, plane=devices.own_plane(device.onboarding))
    return rows.usable().exists()


def due() -> None:
    return None

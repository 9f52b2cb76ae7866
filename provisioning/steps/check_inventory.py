"""Is everything there that the rest needs: an active operator and device, and the key it comes with."""

from __future__ import annotations

from datetime import datetime

from devices.inventory.models import Credential, CredentialState, Device, Onboarding, Plane, Reach, Security
from devices.inventory.states import Access
from devices.messaging.models import SmscLink
from provisioning.models import JobStep
from provisioning.steps.results import Done, Failed, StepResult

TITLE = "Check inventory"


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    if not device.operator.is_active:
        return Failed("OPERATOR_INACTIVE", "Make the operator active, then start the job again.")
    if device.access != Access.ACTIVE:
        return Failed(
            f"DEVICE_{device.access.upper()}", f"The device is {device.get_access_display().lower()}."
        )
    if device.reach == Reach.GATEWAY:
        return Done()  # its gateway's channel is its security
    if device.security == Security.MSISDN:
        if not SmscLink.objects.filter(pk=device.operator_id, is_enabled=True).exists():
            return Failed(
                "SMSC_LINK_MISSING", "Set up the SMSC link of the operator, then start the job again."
            )
        return Done()
    if device.security == Security.NONE:
        if not device.operator.allows_nosec:
            return Failed("NOSEC_NOT_ALLOWED", "The operator no longer allows devices without encryption.")
        return Done()
    plane = Plane.BOOTSTRAP if device.onboarding == Onboarding.BOOTSTRAP else Plane.MANAGEMENT
    keys = Credential.objects.filter(device=device, plane=plane).exclude(state=CredentialState.RETIRED)
    if not keys.exists():
        return Failed("PSK_IDENTITY_UNKNOWN", "The device has no key; remove it and add it again.")
    return Done()


def due() -> None:
    return None

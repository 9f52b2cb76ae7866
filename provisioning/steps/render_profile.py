"""Checks that the operator's bootstrap profile gives the device a sound configuration; then it is ready."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device, Onboarding
from devices.inventory.services import devices
from devices.inventory.states import Provisioning
from devices.registry.services import awake_windows
from provisioning.models import JobStep
from provisioning.profiles import profiles
from provisioning.steps.results import Done, Skipped, StepResult, Waiting

TITLE = _("Render bootstrap profile")
AGAIN_SECONDS = 300
"""A corrected profile rings the waiting jobs itself; this is for the bell that got lost."""


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    _listens(device)
    if device.onboarding == Onboarding.DIRECT:
        _ready(device)
        return Skipped()
    problem = profiles.problem(device)
    if problem is not None:
        again_at = now + timedelta(seconds=AGAIN_SECONDS)
        return Waiting(problem.cause, problem.detail, again_at=again_at)
    _ready(device)
    profile = profiles.default_of(device.operator_id)
    assert profile is not None  # or it would have been the problem
    return Done({"profile": profile.name})


def _listens(device: Device) -> None:
    """How long devices of this profile listen, where nobody has said it of this one."""
    profile = profiles.default_of(device.operator_id)
    if profile is not None and profile.awake_seconds and device.awake_seconds is None:
        reason = f"Profile {profile.name}"
        awake_windows.set_seconds(device=device, seconds=profile.awake_seconds, reason=reason)


def _ready(device: Device) -> None:
    if device.provisioning in (Provisioning.DRAFT, Provisioning.FAILED):
        devices.set_provisioning(device=device, state=Provisioning.READY)


def due() -> None:
    return None

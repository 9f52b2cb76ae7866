"""Wishes for what the operator's profile wants observed of every device.

The requests go out by themselves and again after each Register, so nothing waits for them here. How often a device
reports by default stands in the server account that its bootstrap wrote.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device
from provisioning.models import JobStep
from provisioning.profiles import profile_observations, profiles
from provisioning.steps.results import Done, Skipped, StepResult

TITLE = _("Observe")


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    profile = profiles.default_of(device.operator_id)
    if profile is None or not profile.observes:
        return Skipped()
    wanted, refused = profile_observations.want(
        device=device, profile=profile, arguments={}, correlation="", now=now
    )
    return Done({"wanted": wanted, "refused": refused}) if wanted or refused else Skipped()


def due() -> None:
    return None

"""Tells the gateway what to report of the device: what the operator's profile wants observed of all of its kind.

Each wish is an observation of the device; its requests, attributes first, go to the gateway with the device's prefix.
A refusal is kept with the wish and does not hold the device up: it is online and answers.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from devices.commands.models import Command, CommandState
from devices.inventory.models import Device
from provisioning import correlations
from provisioning.models import BootstrapProfile, JobStep
from provisioning.profiles import profile_observations, profiles
from provisioning.steps.results import Done, Skipped, StepResult, Waiting

TITLE = _("Tell the gateway what to report")


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    asked = Command.objects.filter(device=device, correlation=correlations.of_step(step.pk))
    if "wanted" not in step.data:
        wanted, refused = _want(step, device, now)
        if not wanted and not refused:
            return Skipped()
        if asked.open().exists():
            return Waiting(data={"wanted": wanted, "refused": refused})
        step.data = {**step.data, "wanted": wanted, "refused": refused}
    if waiting := asked.open().first():
        return Waiting(waiting.cause, waiting.detail)
    failed = asked.exclude(state=CommandState.DONE).first()
    said = {"wanted": step.data["wanted"], "refused": step.data["refused"]}
    return Done(said, failed.cause, f"{failed.path}: {failed.detail}".strip(": ")) if failed else Done(said)


def _want(step: JobStep, device: Device, now: datetime) -> tuple[list[str], list[str]]:
    """What was wished for, and what the portal itself refused to wish for."""
    profile = profiles.default_of(device.operator_id)
    if profile is None or not profile.observes:
        return [], []
    return profile_observations.want(
        device=device,
        profile=profile,
        arguments={"attributes": _attributes(profile)},
        correlation=correlations.of_step(step.pk),
        now=now,
    )


def _attributes(profile: BootstrapProfile) -> dict[str, int]:
    """The default periods that a device of its own gets in its server account."""
    named = (("pmin", profile.default_pmin_seconds), ("pmax", profile.default_pmax_seconds))
    return {name: seconds for name, seconds in named if seconds is not None}


def due() -> Q:
    waiting = Command.objects.filter(
        device=OuterRef("job__device_id"),
        correlation=correlations.of_outer_step(),
    ).open()
    return Q(~Exists(waiting))

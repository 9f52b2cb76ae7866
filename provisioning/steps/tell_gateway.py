"""Tells the gateway what to report of the device: what the operator's profile wants observed of all of its kind.

Each wish is an observation of the device; its requests, attributes first, go to the gateway with the device's prefix.
A refusal is kept with the wish and does not hold the device up: it is online and answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from devices.errors import Refused
from devices.models import COMMAND_ENDED, Command, CommandState, Device
from devices.selectors import device_models, ways
from devices.services import observations
from lwm2m.links import ObjectLinks
from lwm2m.paths import Path
from provisioning.models import BootstrapProfile, JobStep
from provisioning.steps.results import Done, Skipped, StepResult, Waiting

TITLE = "Tell the gateway what to report"
CORRELATION = "job-step"


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    asked = Command.objects.filter(device=device, correlation=f"{CORRELATION}:{step.pk}")
    if "wanted" not in step.data:
        wanted, refused = _want(step, device, now)
        if not wanted and not refused:
            return Skipped()
        if asked.exclude(state__in=COMMAND_ENDED).exists():
            return Waiting(data={"wanted": wanted, "refused": refused})
        step.data = {**step.data, "wanted": wanted, "refused": refused}
    if waiting := asked.exclude(state__in=COMMAND_ENDED).first():
        return Waiting(waiting.cause, waiting.detail)
    failed = asked.exclude(state=CommandState.DONE).first()
    said = {"wanted": step.data["wanted"], "refused": step.data["refused"]}
    return Done(said, failed.cause, f"{failed.path}: {failed.detail}".strip(": ")) if failed else Done(said)


def _want(step: JobStep, device: Device, now: datetime) -> tuple[list[str], list[str]]:
    """What was wished for, and what the portal itself refused to wish for."""
    profile = BootstrapProfile.objects.filter(operator_id=device.operator_id, is_default=True).first()
    links = device_models.object_links(ways.fresh_detail(device))
    if profile is None or not profile.observes or links is None:
        return [], []
    wanted, refused = [], []
    for path in _present(profile.observes, links):
        try:
            observations.want(
                device=device,
                path=path,
                arguments={"attributes": _attributes(profile)},
                wanted_by=f"profile:{profile.pk}",
                reason=f"Profile {profile.name}"[:200],
                now=now,
                correlation=f"{CORRELATION}:{step.pk}",
            )
        except Refused as refusal:
            refused.append(f"{path}: {refusal.detail}")
        else:
            wanted.append(path)
    return wanted, refused


def _present(names: list[str], links: ObjectLinks) -> Iterator[str]:
    """Of the profile's paths those that the device has."""
    for name in names:
        path = Path.parse(name)
        known = path.object_id in links.objects
        if known and (path.depth == 1 or links.has_instance(path)):
            yield name


def _attributes(profile: BootstrapProfile) -> dict[str, int]:
    """The default periods that a device of its own gets in its server account."""
    named = (("pmin", profile.default_pmin_seconds), ("pmax", profile.default_pmax_seconds))
    return {name: seconds for name, seconds in named if seconds is not None}


def due() -> Q:
    waiting = Command.objects.filter(
        device=OuterRef("job__device_id"),
        correlation=Concat(Value(f"{CORRELATION}:"), Cast(OuterRef("pk"), CharField())),
    ).exclude(state__in=COMMAND_ENDED)
    return ~Exists(waiting)

"""Waits until the device comes to the bootstrap server, or comes to the management server right away."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from devices.models import Device, Onboarding
from provisioning.models import BootstrapSession, JobStep
from provisioning.selectors import contacts
from provisioning.steps.results import Done, Skipped, StepResult, Waiting

TITLE = "First contact"


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    if device.onboarding == Onboarding.DIRECT:
        return Skipped()
    since = step.job.created_at
    session = contacts.latest_session(device.pk, since=since)
    if session is not None:
        return Done({"session_id": session.pk, "host": session.host})
    registration = contacts.registration(device, since=since)
    if registration is not None:
        return Done({"host": registration.host})
    return Waiting()


def due() -> Q:
    sessions = BootstrapSession.objects.filter(
        device=OuterRef("job__device_id"), started_at__gte=OuterRef("job__created_at")
    )
    return Q(Exists(sessions)) | Q(
        job__device__registration__is_live=True,
        job__device__registration__registered_at__gte=F("job__created_at"),
    )

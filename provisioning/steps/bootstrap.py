"""Waits until a bootstrap session ended well; one that did not leaves its cause, the next contact goes on."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device, Onboarding
from provisioning.models import BootstrapSession, JobStep, SessionState
from provisioning.selectors import contacts
from provisioning.steps.results import Done, Skipped, StepResult, Waiting

TITLE = _("Bootstrap")


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    if device.onboarding == Onboarding.DIRECT:
        return Skipped()
    since = step.job.created_at
    session = contacts.latest_session(device.pk, since=since)
    if session is not None and session.state in contacts.CONFIGURED:
        return Done({"session_id": session.pk}, session.cause, session.detail)
    registration = contacts.registration(device, since=since)
    if registration is not None and (session is None or registration.registered_at >= session.started_at):
        return Done()  # it is managed already; an answer to our Finish may have been lost
    if session is None or session.state == SessionState.RUNNING:
        return Waiting()
    return Waiting(session.cause, session.detail, {"session_id": session.pk})


def due() -> Q:
    sessions = BootstrapSession.objects.filter(
        device=OuterRef("job__device_id"),
        started_at__gte=OuterRef("job__created_at"),
        state__in=contacts.CONFIGURED,
    )
    return Q(Exists(sessions)) | Q(
        job__device__registration__is_live=True,
        job__device__registration__registered_at__gte=F("started_at"),
    )

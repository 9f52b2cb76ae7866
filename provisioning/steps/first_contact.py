"""Waits until the device comes to the bootstrap server, or comes to the management server right away."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device, Onboarding, Reach
from devices.messaging.models import LinkState, SmscLink
from provisioning.models import BootstrapSession, JobStep
from provisioning.selectors import contacts
from provisioning.steps.results import Done, Skipped, StepResult, Waiting

TITLE = _("First contact")
AGAIN = timedelta(seconds=60)


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
    if device.reach == Reach.SMS:
        return _by_sms(device, now)
    return Waiting()


def _by_sms(device: Device, now: datetime) -> StepResult:
    """While the link to the SMSC is down, it is not the device's turn."""
    link = SmscLink.objects.filter(pk=device.operator_id).first()
    if link is None or not link.is_enabled:
        return Waiting("SMSC_LINK_MISSING", again_at=now + AGAIN)
    if link.state in (LinkState.DOWN, LinkState.REFUSED):
        return Waiting(link.cause or "SMSC_UNREACHABLE", link.detail, again_at=now + AGAIN)
    return Waiting(again_at=now + AGAIN if link.state != LinkState.BOUND else None)


def due() -> Q:
    sessions = BootstrapSession.objects.filter(
        device=OuterRef("job__device_id"), started_at__gte=OuterRef("job__created_at")
    )
    return Q(Exists(sessions)) | Q(
        job__device__registration__is_live=True,
        job__device__registration__registered_at__gte=F("job__created_at"),
    )

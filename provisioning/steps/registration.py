"""Waits until the device registers with the management server; that proves what was written."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device
from devices.inventory.services import devices
from devices.inventory.states import Provisioning
from provisioning.models import JobStep
from provisioning.selectors import contacts
from provisioning.steps.results import Done, StepResult, Waiting

TITLE = _("Registration")


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    since = step.job.created_at
    session = contacts.latest_session(device.pk, since=since)
    registration = contacts.registration(device, since=session.started_at if session else since)
    if registration is None:
        return Waiting()
    if device.provisioning in (Provisioning.DRAFT, Provisioning.FAILED):
        devices.set_provisioning(device=device, state=Provisioning.READY)
    devices.first_online(device=device, at=registration.registered_at)
    return Done({"host": registration.host, "transport": registration.transport})


def due() -> Q:
    return Q(
        job__device__registration__is_live=True,
        job__device__registration__registered_at__gte=F("job__created_at"),
    )

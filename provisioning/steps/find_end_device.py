"""Waits until a gateway of the same owner tells of the device and is there to speak for it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from devices.inventory.models import Device
from devices.inventory.services import devices
from devices.inventory.states import Provisioning
from devices.registry.selectors import ways
from provisioning.models import JobStep
from provisioning.steps.results import Done, StepResult, Waiting

TITLE = _("Find behind a gateway")


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    gateway = ways.gateway(device)
    if gateway is None:
        return Waiting()
    if cause := ways.gone_cause(device):
        return Waiting(cause)
    if not ways.live_registration(device).exists():
        return Waiting("GATEWAY_OFFLINE", data={"gateway": gateway.endpoint})
    if device.provisioning in (Provisioning.DRAFT, Provisioning.FAILED):
        devices.set_provisioning(device=device, state=Provisioning.READY)
    devices.first_online(device=device, at=now)
    return Done({"gateway": gateway.endpoint, "prefix": device.prefix})


def due() -> Q:
    return Q(
        job__device__gone_at=None,
        job__device__via__registration__is_live=True,
    )

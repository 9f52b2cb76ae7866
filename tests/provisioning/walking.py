"""Plays the device's side of a journey against the services, without sockets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from devices.commands.models import Command
from devices.commands.outcomes import Done
from devices.commands.services import mailbox
from devices.inventory.models import Credential, Device, Plane
from devices.operations.services import settlement
from lwm2m.bootstrap import Finished
from lwm2m.messages import BootstrapRequest
from lwm2m.registration import Origin
from provisioning.models import Job
from provisioning.services import onboarding, sessions
from provisioning.services.sessions import Begun, Exchange
from tests.devices import making
from tests.devices.making import FLOW

SAID = {"/3/0/0": "Acme", "/3/0/1": "Meter", "/3/0/2": "S-1", "/3/0/3": "1.2.3", "/3/0/11/0": 0}
ANSWER = {"content_format": 11542, "nodes": [{"path": path, "value": value} for path, value in SAID.items()]}


def ordered(**label: Any) -> Device:
    """A device that a subscriber added."""
    operator = label.pop("operator", None) or making.operator()
    subscriber = label.pop("subscriber", None) or making.subscriber(operator)
    label.setdefault("endpoint", f"urn:dev:walk-{Device.objects.count()}")
    return onboarding.add_device(operator=operator, subscriber=subscriber, **label).device


def job(device: Device) -> Job:
    return Job.objects.filter(device=device).latest("pk")


def states(device: Device) -> dict[str, str]:
    return {step.kind: step.state for step in job(device).steps.all()}


def begin(
    device: Device,
    *,
    now: datetime | None = None,
    endpoint: str | None = "",
    pct: int | None = None,
    transport: str = "udp",
) -> Begun:
    """A Bootstrap-Request of the device; `endpoint` None leaves ep out."""
    credential = (
        Credential.objects.filter(device=device, plane=Plane.BOOTSTRAP).exclude(state="retired").first()
    )
    secured = device.security_mode.is_secured
    origin = Origin(
        "192.0.2.7", 40001, "dtls" if secured else transport, credential.identity if credential else None
    )
    request = BootstrapRequest(device.endpoint if endpoint == "" else endpoint, pct)
    return sessions.begin(
        request=request,
        origin=origin,
        credential_id=credential.pk if credential else None,
        now=now or after(device),
    )


def bootstrap(device: Device, *, now: datetime | None = None, finished: Finished | None = None) -> Begun:
    """A whole session."""
    now = now or after(device)
    begun = begin(device, now=now)
    for operation, path in (("delete", "/0"), ("write", "/0/1"), ("write", "/1/0"), ("finish", "/bs")):
        at = now + timedelta(milliseconds=10)
        sessions.record(session_id=begun.session_id, exchange=Exchange(operation, path, now, at, "2.04"))
    sessions.finish(session_id=begun.session_id, finished=finished or Finished("done"), now=at)
    return begun


def register(device: Device, *, now: datetime | None = None) -> Any:
    return making.register(Device.objects.get(pk=device.pk), now=now or after(device, 2))


def answer(device: Device, *, now: datetime | None = None, outcome: Any = None) -> Command | None:
    """The device answers what waits in its mailbox."""
    now = now or after(device, 3)
    claimed = mailbox.claim(device_id=device.pk, flow=FLOW, now=now)
    if claimed is None:
        return None
    return settlement.settle_one(
        command_id=claimed.command_id, outcome=outcome or Done("2.05", ANSWER), now=now
    )


def after(device: Device, seconds: float = 1) -> datetime:
    """A moment after the device's latest job began."""
    return job(device).created_at + timedelta(seconds=seconds)

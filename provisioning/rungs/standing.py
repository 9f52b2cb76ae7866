"""What the rungs ask of a device's registration: whether it stands, and where its server account is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.errors import Refused
from devices.commands.models import Operation
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.registry.models import Registration, RegistrationDetail
from devices.registry.selectors import device_models
from provisioning import correlations
from provisioning.ladder import ReachAttempt
from provisioning.rungs.results import REASON, RungResult, Skipped, Taken

SERVER_OBJECT = 1
VALID_SECONDS = 600
PRIORITY = 50
"""Before whatever else waits: nothing else can be sent until the device is awake."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A registration that stands. `server` is the one instance of /1; None where that cannot be told."""

    version: str
    server: int | None


def of(device: Device) -> Standing | None:
    """None when no registration stands, so that nothing can be sent over it."""
    if not Registration.objects.live().filter(device=device).exists():
        return None
    return Standing(version_of(device), _server(device))


def version_of(device: Device) -> str:
    """What the device last spoke; empty for one that never registered."""
    rows = RegistrationDetail.objects.filter(device=device).values_list("version", flat=True)
    return rows.first() or ""


def _server(device: Device) -> int | None:
    detail = RegistrationDetail.objects.filter(device=device).first()
    links = device_models.object_links(detail)
    servers = links.objects.get(SERVER_OBJECT) if links else None
    return servers.instances[0] if servers and servers.instances else None


def execute(*, device: Device, attempt: ReachAttempt, path: str, now: datetime) -> RungResult:
    """Have this executed although the device may sleep."""
    try:
        mailbox.enqueue(
            device=device,
            operation=Operation.EXECUTE,
            path=path,
            requested_by="system",
            reason=REASON,
            correlation=correlations.of_attempt(attempt.pk),
            is_waking=True,
            expires_in_seconds=VALID_SECONDS,
            priority=PRIORITY,
            now=now,
        )
    except Refused as refusal:
        return Skipped(refusal.cause, refusal.recorded)
    return Taken(f"Execute {path}")

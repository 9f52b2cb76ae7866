"""What a device's page and a row of the list show, the same on the first load and on every live change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.models import Device, Onboarding, Registration, Security
from devices.selectors import sessions
from devices.states import Access, Provisioning
from provisioning.selectors import progress


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    device: Device
    session: sessions.Told
    last_seen_at: datetime | None


def _registration(device: Device) -> Registration | None:
    return getattr(device, "registration", None)


def _session(device: Device, now: datetime) -> sessions.Told:
    return sessions.of(_registration(device), getattr(device, "registration_detail", None), now)


def row(device: Device, now: datetime) -> Row:
    registration = _registration(device)
    return Row(device, _session(device, now), registration.last_seen_at if registration else None)


def may_renew_key(device: Device) -> bool:
    """Only the key for the bootstrap server: the one for the management server the device gets by itself."""
    return (
        device.security == Security.PSK
        and device.onboarding == Onboarding.BOOTSTRAP
        and device.access == Access.ACTIVE
    )


def context(device: Device, now: datetime) -> dict[str, Any]:
    """For the whole page and for each of its live parts."""
    registration = _registration(device)
    return {
        "device": device,
        "session": _session(device, now),
        "registration": registration,
        "detail": getattr(device, "registration_detail", None),
        "progress": progress.stepper(device),
        "may_renew_key": may_renew_key(device),
        "is_set_up": device.provisioning == Provisioning.APPLIED and device.first_online_at is not None,
    }

"""What a device did last: its bootstrap session and its registration, as the steps of a job ask for them."""

from __future__ import annotations

from datetime import datetime

from devices.models import Device, Reach, Registration
from devices.selectors import ways
from devices.states import Provisioning
from provisioning.models import BootstrapSession, SessionState

CONFIGURED = (SessionState.DONE, SessionState.DONE_WITH_ERRORS)


def latest_session(device_id: int, *, since: datetime) -> BootstrapSession | None:
    """The newest bootstrap session that began at or after `since`."""
    return BootstrapSession.objects.filter(device_id=device_id, started_at__gte=since).order_by("-pk").first()


def registration(device: Device, *, since: datetime) -> Registration | None:
    """The live registration, when it was made at or after `since` or proves an applied configuration.

    That of its gateway leads to an end device whenever it was made.
    """
    live = ways.live_registration(device).first()
    if live is None or device.reach == Reach.GATEWAY:
        return live
    return live if live.registered_at >= since or device.provisioning == Provisioning.APPLIED else None

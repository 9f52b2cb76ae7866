"""What a device did last: its bootstrap session and its registration, as the steps of a job ask for them."""

from __future__ import annotations

from datetime import datetime

from devices.inventory.models import Device, Knock, Reach
from devices.inventory.states import Provisioning
from devices.registry.models import Registration
from devices.registry.selectors import ways
from provisioning.models import BootstrapSession, SessionState

CONFIGURED = (SessionState.DONE, SessionState.DONE_WITH_ERRORS)


def latest_session(device_id: int, *, since: datetime) -> BootstrapSession | None:
    """The newest bootstrap session that began at or after `since`."""
    return BootstrapSession.objects.filter(device_id=device_id, started_at__gte=since).order_by("-pk").first()


def first_of_journey(session: BootstrapSession, *, after_id: int) -> BootstrapSession:
    """The first try of what ended, or will end, with this session: those after the last that was configured."""
    first = session
    before = BootstrapSession.objects.filter(device_id=session.device_id, pk__lt=session.pk, pk__gt=after_id)
    for older in before.order_by("-pk")[:50]:
        if older.state in CONFIGURED:
            break
        first = older
    return first


def configured(device_id: int, *, since: datetime) -> int:
    """How often a bootstrap ended well since then."""
    sessions = BootstrapSession.objects.filter(device_id=device_id, started_at__gte=since)
    return sessions.filter(state__in=CONFIGURED).count()


def was_ever_here(device_id: int) -> bool:
    """Whether anything that is known to be this device ever reached us, let in or not."""
    return (
        Registration.objects.filter(device_id=device_id).exists()
        or BootstrapSession.objects.filter(device_id=device_id).exists()
        or Knock.objects.filter(device_id=device_id).exists()
    )


def registration(device: Device, *, since: datetime) -> Registration | None:
    """The live registration, when it was made at or after `since` or proves an applied configuration.

    That of its gateway leads to an end device whenever it was made.
    """
    live = ways.live_registration(device).first()
    if live is None or device.reach == Reach.GATEWAY:
        return live
    return live if live.registered_at >= since or device.provisioning == Provisioning.APPLIED else None

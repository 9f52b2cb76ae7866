"""The session of a device in words, told from its registration and the time: "asleep until about 14:20"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

from devices.models import Device, Registration
from devices.states import Access
from lwm2m.presence import State, presence


@dataclass(frozen=True)
class Session:
    """`state` is for colour, `mark` for shape, `label` and `detail` are the words."""

    state: str
    mark: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class _Facts:
    queue_mode: bool
    last_seen_at: float
    expires_at: float | None


_NO_ACCESS = {Access.SUSPENDED: "Suspended", Access.BARRED: "Barred", Access.RETIRED: "Released"}


def of(device: Device, now: datetime) -> Session:
    """Needs `registration` selected with the device."""
    if device.access in _NO_ACCESS:
        return Session("barred", "lost", _NO_ACCESS[device.access])
    row: Registration | None = getattr(device, "registration", None)
    if row is None:
        return Session("never", "never", "Not seen yet")
    if not row.is_live and (row.expires_at is None or row.expires_at > now):
        return Session("off", "never", "Signed off")
    return _present(row, now)


def _present(row: Registration, now: datetime) -> Session:
    facts = _Facts(
        row.queue_mode, row.last_seen_at.timestamp(), row.expires_at.timestamp() if row.expires_at else None
    )
    found = presence(facts, now.timestamp(), settings.AWAKE_SECONDS, settings.LIFETIME_GRACE_SECONDS)
    due = _clock(found.next_contact_by, now)
    if found.state is State.REGISTERED:
        return Session(
            "online",
            "online",
            "Online",
            f"awake until {_clock(found.awake_until, now)}" if row.queue_mode else "",
        )
    if found.state is State.ASLEEP:
        return Session("asleep", "asleep", "Asleep", f"until about {due}" if due else "")
    if found.state is State.LATE:
        return Session("late", "late", "Late", f"expected until {due}" if due else "")
    return Session("lost", "lost", "Lost", f"since {_clock(facts.expires_at, now)}")


def _clock(at: float | None, now: datetime) -> str:
    """The time of day, with the date where it is not today."""
    if at is None:
        return ""
    local = timezone.localtime(datetime.fromtimestamp(at, tz=UTC))
    return (
        local.strftime("%H:%M")
        if local.date() == timezone.localtime(now).date()
        else local.strftime("%-d %b, %H:%M")
    )

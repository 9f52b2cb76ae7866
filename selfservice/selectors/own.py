"""The person's own devices: every page of this room starts here, never at a bare id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from accounts.models import User
from accounts.scoping import of_subscriber
from devices.models import Device
from devices.selectors import sessions, ways
from devices.states import Access

_SETUP = Q(registration=None, end_device=None)
SHOW = {"": "All", "online": "Online", "silent": "Silent", "setup": "Being set up"}


def devices(user: User) -> QuerySet[Device]:
    living = Device.objects.exclude(access=Access.RETIRED)
    return of_subscriber(living, user, "subscriber").select_related("operator", *ways.PRESENCE)


def get(user: User, device_id: int) -> Device:
    """Raises Http404 for a device that is not the person's, exactly as for one that does not exist."""
    device = devices(user).select_related("subscriber").filter(pk=device_id).first()
    if device is None:
        raise Http404("This device is not yours or was released.")
    return device


def by_endpoint(user: User, endpoint: str) -> Device | None:
    return devices(user).filter(endpoint=endpoint).first()


@dataclass(frozen=True)
class Counts:
    """How many devices each filter of the list shows."""

    total: int
    online: int
    silent: int
    setup: int


def _online(now: datetime) -> Q:
    """Registered and awake, or asleep as agreed."""
    return sessions.condition(sessions.Session.REGISTERED, now) | sessions.condition(
        sessions.Session.ASLEEP, now
    )


def counts(user: User, now: datetime) -> Counts:
    found = of_subscriber(Device.objects.exclude(access=Access.RETIRED), user, "subscriber").aggregate(
        total=Count("pk"),
        online=Count("pk", filter=_online(now)),
        setup=Count("pk", filter=_SETUP),
    )
    return Counts(**found, silent=found["total"] - found["online"] - found["setup"])


def listed(user: User, *, text: str, show: str, now: datetime) -> QuerySet[Device]:
    """Newest first; `text` is looked for in name, endpoint and serial number; `show` is a key of SHOW."""
    rows = devices(user)
    for word in text.split()[:5]:
        rows = rows.filter(
            Q(name__icontains=word) | Q(endpoint__icontains=word) | Q(serial_number__icontains=word)
        )
    if show == "online":
        rows = rows.filter(_online(now))
    elif show == "silent":
        rows = rows.exclude(_SETUP).exclude(_online(now))
    elif show == "setup":
        rows = rows.filter(_SETUP)
    return rows.order_by("-id")

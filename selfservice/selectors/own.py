"""The person's own devices: every page of this room starts here, never at a bare id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from accounts.models import User
from devices.inventory.models import Device
from devices.registry.selectors import present, search, ways
from devices.registry.selectors.sessions import Session


def devices(user: User) -> QuerySet[Device]:
    return Device.objects.of_subscriber(user).select_related("operator", *ways.PRESENCE)


def get(user: User, device_id: int) -> Device:
    """Raises Http404 for a device that is not the person's, exactly as for one that does not exist."""
    device = devices(user).select_related("subscriber").filter(pk=device_id).first()
    if device is None:
        raise Http404("This device is not yours or was released.")
    return device


def by_endpoint(user: User, endpoint: str) -> Device | None:
    return devices(user).filter(endpoint=endpoint).first()


def spelled_alike(user: User, endpoint: str) -> str:
    """The name of an own device that differs in nothing but capitals; empty where there is none."""
    alike = devices(user).filter(endpoint__iexact=endpoint).exclude(endpoint=endpoint)
    return alike.values_list("endpoint", flat=True).first() or ""


@dataclass(frozen=True)
class Counts:
    """How many devices each filter of the list shows."""

    total: int
    online: int
    stuck: int
    lost: int
    suspended: int
    setup: int


_STATES = {
    "online": (Session.REGISTERED, Session.ASLEEP),
    "stuck": (present.STUCK,),
    "lost": (Session.LATE, Session.LOST, Session.SIGNED_OFF, Session.GATEWAY_OFFLINE, Session.GONE),
    "suspended": (present.SUSPENDED,),
    "setup": (Session.NEVER_SEEN,),
}


SHOW = tuple(_STATES)


def _shown(show: str, now: datetime) -> Q:
    """Each device is shown by one of them, the one that its badge says."""
    return reduce(or_, [present.condition(state, now) for state in _STATES[show]])


def counts(user: User, now: datetime) -> Counts:
    devices = Device.objects.of_subscriber(user)
    found = devices.aggregate(
        total=Count("pk"), **{show: Count("pk", filter=_shown(show, now)) for show in _STATES}
    )
    return Counts(**found)


def listed(user: User, *, text: str, show: str, now: datetime) -> QuerySet[Device]:
    """Newest first; `text` is looked for as in every box; `show` is a field of Counts."""
    rows = search.found(devices(user), text)
    if show in _STATES:
        rows = rows.filter(_shown(show, now))
    return rows.order_by("-id")

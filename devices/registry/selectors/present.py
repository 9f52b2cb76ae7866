"""How a device is at present, in one word: the same on every page, list and board, whoever reads it.

What was decided about a device comes before what it does, and what keeps it out comes before that it is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext

from audit.causes import CAUSES, Cause
from devices.inventory.models import Device, Knock, Plane
from devices.inventory.states import Access, Provisioning
from devices.registry.selectors import sessions, ways
from devices.registry.selectors.sessions import Session, Told

STUCK = "stuck"
"""Beside the session states a filter of its own: what keeps a device from coming online wants a person."""
SUSPENDED = "suspended"
"""The filter for whom nobody lets in: suspended or barred."""
_HORIZON = timedelta(days=7)
"""Knocks of before are history."""
_MENDABLE = [code for code, cause in CAUSES.items() if cause.severity != "info"]
_HERE = (Session.REGISTERED, Session.ASLEEP, Session.LATE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A device knocks and is not let in: the newest cause, and how often by that cause."""

    cause: Cause
    plane: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Present:
    """`words` are for staff and `plain` for the subscriber; both stand alone, with `since` a time follows.

    `state` names shape and colour: a session state, or `suspended`, `barred`, `retired`, `failed`, `refused`, `setup`.
    """

    state: str
    words: str
    plain: str
    session: Told
    since: datetime | None = None
    refusal: Refusal | None = None
    cause: Cause | None = None

    @property
    def is_session(self) -> bool:
        """Nothing comes before what the registration says."""
        return self.state == self.session.state

    @property
    def left_seconds(self) -> int | None:
        return self.session.left_seconds

    @property
    def left_share(self) -> int:
        return self.session.left_share


def of(device: Device, now: datetime, refusal: Refusal | None = None) -> Present:
    """Needs `ways.PRESENCE` and the operator selected with the device; `refusal` is of `refusals`."""
    told = sessions.of_device(device, now)
    if device.access != Access.ACTIVE:
        words = device.get_access_display().lower()
        return Present(device.access, words, words, told)
    if not device.operator.is_active:
        words = gettext("operator switched off")
        return Present(Access.SUSPENDED, words, words, told)
    gateway = ways.gateway(device)
    if gateway is not None and gateway.access in (Access.SUSPENDED, Access.BARRED):
        words = gettext("gateway %(gateway)s %(access)s") % {
            "gateway": gateway,
            "access": gateway.get_access_display().lower(),
        }
        return Present(gateway.access, words, words, told)
    if told.state in _HERE:
        return _of_session(told)
    if device.provisioning == Provisioning.FAILED:
        words = gettext("set-up failed")
        return Present("failed", words, words, told, cause=CAUSES.get(device.setup_cause))
    if device.setup_cause:
        words = gettext("set-up stands still")
        return Present("failed", words, words, told, cause=CAUSES.get(device.setup_cause))
    if device.provisioning == Provisioning.BOOTSTRAPPING and not _is_after_bootstrap(refusal):
        words = gettext("being set up anew") if device.first_online_at else gettext("being set up")
        return Present("setup", words, words, told)
    if refusal is not None:
        words = gettext("refused at the door")
        return Present("refused", words, words, told, refusal.last_at, refusal, refusal.cause)
    return _of_session(told)


def is_shut_out(standing: Present) -> bool:
    """Somebody decided that it is not served: of the device, its gateway or its whole operator."""
    return standing.state in (Access.SUSPENDED, Access.BARRED, Access.RETIRED)


def _of_session(told: Told) -> Present:
    plain = told.words
    if told.state is Session.NEVER_SEEN:
        plain = gettext("not seen yet")
    elif told.state is Session.REGISTERED:
        plain = plain.replace("registered", "online", 1)
    return Present(told.state, told.words, plain, told, told.since, cause=CAUSES.get(told.cause))


def _is_after_bootstrap(refusal: Refusal | None) -> bool:
    """What the management server refuses comes after what the bootstrap server let in."""
    return refusal is not None and refusal.plane == Plane.MANAGEMENT


def refusals(devices: Iterable[Device], now: datetime) -> dict[int, Refusal]:
    """Device id -> what keeps it out now; one query for a page of devices."""
    ids = [device.pk for device in devices]
    rows = _counting(now).filter(device_id__in=ids).order_by("-last_at")[: 20 * max(1, len(ids))]
    found: dict[int, Refusal] = {}
    for knock in rows:
        assert knock.device_id is not None
        known = found.get(knock.device_id)
        if known is None:
            found[knock.device_id] = Refusal(CAUSES[knock.cause], knock.plane, knock.count, knock.last_at)
        elif known.cause.code == knock.cause:
            found[knock.device_id] = Refusal(
                known.cause, known.plane, known.count + knock.count, known.last_at
            )
    return found


def _counting(now: datetime) -> QuerySet[Knock]:
    """Knocks that somebody could act on and that came after the device was last heard."""
    unheard = Q(device__registration=None) | Q(last_at__gt=F("device__registration__last_seen_at"))
    return Knock.objects.filter(
        unheard, device__isnull=False, cause__in=_MENDABLE, last_at__gte=now - _HORIZON
    )


def condition(state: str, now: datetime) -> Q:
    """Devices that `of` shows in this state: a session state, `STUCK` or `SUSPENDED`. Each device is in one of them.

    One that is being set up counts as what it was before.
    """
    closed = (Access.SUSPENDED, Access.BARRED)
    shut_out = Q(access__in=closed) | Q(operator__is_active=False)
    shut_out |= Q(via__access__in=closed)
    if state == SUSPENDED:
        return shut_out
    if state in _HERE:
        return ~shut_out & sessions.condition(state, now)
    held = Q(pk__in=_counting(now).values("device_id")) | ~Q(setup_cause="")
    held |= Q(provisioning=Provisioning.FAILED)
    here = reduce(or_, [sessions.condition(one, now) for one in _HERE])
    if state == STUCK:
        return ~shut_out & held & ~here
    return ~shut_out & ~held & sessions.condition(state, now)


def of_many(devices: Iterable[Device], now: datetime) -> list[tuple[Device, Present]]:
    """A page of a list; one query more than the devices."""
    rows = list(devices)
    refused = refusals(rows, now) if rows else {}
    return [(device, of(device, now, refused.get(device.pk))) for device in rows]

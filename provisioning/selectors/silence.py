"""Which devices missed their contact: by their registrations' end, or because their gateway tells of them no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.registry.models import Registration
from devices.registry.selectors.sessions import EXPIRED
from provisioning.ladder import AttemptState, ReachAttempt, ReachPolicy

HORIZON = timedelta(days=7)
"""Who is silent for longer was looked for long ago, or belongs to a portal that stood still for a week."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A device that should have called at `missed_at` and was last heard at `silent_since`."""

    device_id: int
    operator_id: int
    missed_at: datetime
    silent_since: datetime


def of_registrations(
    policies: Mapping[int, ReachPolicy], *, now: datetime, early_seconds: int, limit: int
) -> list[Missed]:
    """Live registrations near or past their end, and those that ran out.

    Nothing that a refresh changes has an index, so this reads the whole narrow table: once a minute, not more often.
    """
    rows = (
        Registration.objects.filter(
            Q(is_live=True) | Q(device__registration_detail__end_cause=EXPIRED),
            expires_at__gt=now - HORIZON,
            expires_at__lte=now + timedelta(seconds=early_seconds),
            device__access=Access.ACTIVE,
            device__operator__is_active=True,
            device__operator_id__in=list(policies),
        )
        .exclude(Exists(_attempts("last_seen_at")))
        .order_by("expires_at")
        .values_list("device_id", "device__operator_id", "expires_at", "last_seen_at", "lifetime_seconds")
    )
    found: list[Missed] = []
    for device_id, operator_id, expires_at, last_seen_at, lifetime in rows[:limit]:
        assert expires_at is not None  # asked for
        early = min(policies[operator_id].early_seconds, lifetime / 10)
        missed_at = expires_at - timedelta(seconds=early)
        if missed_at <= now:
            found.append(Missed(device_id, operator_id, missed_at, last_seen_at))
    return found


def of_end_devices(policies: Mapping[int, ReachPolicy], *, now: datetime, limit: int) -> list[Missed]:
    """End devices that their gateway, which is there, tells of no more. Behind a lost gateway nobody is looked for."""
    rows = (
        Device.objects.filter(
            gone_at__gt=now - HORIZON,
            gone_at__lte=now,
            via__registration__is_live=True,
            access=Access.ACTIVE,
            operator__is_active=True,
            operator_id__in=list(policies),
        )
        .exclude(Exists(_attempts("gone_at", device="pk")))
        .order_by("gone_at")
        .values_list("pk", "operator_id", "gone_at")
    )
    return [
        Missed(device_id, operator_id, gone_at, gone_at)
        for device_id, operator_id, gone_at in rows[:limit]
        if gone_at is not None  # asked for
    ]


def answered() -> Q:
    """Attempts that have nothing left to look for: the device was heard, signed off, or may not come back."""
    heard = Q(device__registration__last_seen_at__gt=F("silent_since"))
    signed_off = Q(device__registration__is_live=False) & ~Q(device__registration_detail__end_cause=EXPIRED)
    seen_again = Q(device__via__isnull=False, device__gone_at=None)
    return heard | signed_off | seen_again | ~Q(device__access=Access.ACTIVE)


def _attempts(since: str, device: str = "device_id") -> QuerySet[ReachAttempt]:
    """Attempts of this very silence; one that was given up (suspended, policy off) does not count."""
    rows = ReachAttempt.objects.filter(device_id=OuterRef(device), opened_at__gte=OuterRef(since))
    return rows.exclude(state=AttemptState.CANCELLED)

"""Which devices have commands waiting; what the southbound sweep and its Update path ask."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from devices.commands.models import Command, CommandState
from devices.commands.outcomes import BUSY
from devices.inventory.states import Access
from devices.registry.models import Transport


def _deliverable(now: datetime, registration: str = "device__registration") -> Q:
    """Queued and not held back after silence or by a busy device, or sent by a process that died."""
    heard_since = Q(**{f"{registration}__last_seen_at__gt": F("sent_at")}) & ~Q(cause=BUSY)
    queued = Q(state=CommandState.QUEUED, expires_at__gt=now) & (
        Q(lease_until__isnull=True) | Q(lease_until__lte=now) | heard_since
    )
    return queued | Q(state=CommandState.SENT, lease_until__lte=now)


def waiting_devices(
    flow: str, limit: int = 500, now: datetime | None = None, sms_operators: Iterable[int] = ()
) -> list[int]:
    """Devices last heard on `flow` and still registered that have something to be delivered, oldest first.

    Devices by SMS are those of the operators whose SMSC links the caller holds, whoever heard them last.
    """
    is_sms = Q(device__registration__transport=Transport.SMS)
    mine = (Q(device__registration__flow=flow) & ~is_sms) | (
        is_sms & Q(device__operator_id__in=list(sms_operators))
    )
    now = now or timezone.now()
    rows = (
        Command.objects.filter(_deliverable(now))
        .filter(mine, device__access=Access.ACTIVE, device__registration__is_live=True)
        .order_by("id")
        .values_list("device_id", flat=True)
    )
    gateways = _waiting_gateways(flow, limit, now)
    return list(dict.fromkeys([*rows[: limit * 4], *gateways]))[:limit]


def _waiting_gateways(flow: str, limit: int, now: datetime) -> list[int]:
    """What waits for end devices makes their gateway listen."""
    gateway = "device__via"
    rows = Command.objects.filter(
        _deliverable(now, f"{gateway}__registration"),
        device__access=Access.ACTIVE,
        device__gone_at=None,
        **{
            f"{gateway}__access": Access.ACTIVE,
            f"{gateway}__registration__is_live": True,
            f"{gateway}__registration__flow": flow,
        },
    )
    return list(dict.fromkeys(rows.order_by("id").values_list(f"{gateway}_id", flat=True)[: limit * 4]))[
        :limit
    ]


def orphaned(flows: Iterable[str], limit: int = 500, *, now: datetime) -> dict[tuple[str, int], int]:
    """Address -> NoSec device with something to be delivered that was last heard on none of these flows."""
    rows = (
        Command.objects.filter(_deliverable(now))
        .filter(
            device__access=Access.ACTIVE,
            device__registration__is_live=True,
            device__registration__transport=Transport.UDP,
        )
        .exclude(device__registration__flow__in=list(flows))
        .exclude(device__registration__host="")
        .order_by("id")
        .values_list("device_id", "device__registration__host", "device__registration__port")
    )
    return {(host, port): device_id for device_id, host, port in rows[:limit]}


def has_waiting(device_ids: Iterable[int]) -> set[int]:
    """Of these devices, those whose mailbox is not empty; one query for a whole batch of Updates."""
    waiting = Command.objects.filter(device_id__in=list(device_ids), state=CommandState.QUEUED)
    return set(waiting.order_by().values_list("device_id", flat=True).distinct())

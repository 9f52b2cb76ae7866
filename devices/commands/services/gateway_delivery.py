"""What waits for devices behind gateways, seen from the gateway: one of all these is in flight at a time.

NSTART=1 is towards the gateway, so its own commands and those of its end devices leave one after the other. Nothing
leaves for an end device before its gateway was read on the present registration: the prefix may be another's by now.
Called by `delivery` with the gateways locked; the end devices are not, so that rows of commands are read again locked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from devices.commands.models import Command, CommandState
from devices.commands.outcomes import BUSY
from devices.inventory import locks
from devices.inventory.models import Device
from devices.registry.selectors import ways

_IS_BUSY = Q(cause=BUSY)
_GATEWAY = "device__via_id"


def gateways(device_ids: Collection[int]) -> set[int]:
    """Of these devices, those behind which somebody has a device."""
    rows = Device.objects.filter(via_id__in=device_ids).order_by()
    return set(rows.values_list("via_id", flat=True).distinct())


def in_flight(gateway_ids: Collection[int]) -> list[Command]:
    """Sent to end devices of these and not ended; locked, with their devices."""
    rows = Command.objects.filter(state=CommandState.SENT, **{f"{_GATEWAY}__in": gateway_ids})
    return list(_locked(rows))


def next_of(gateway_ids: Collection[int], now: datetime) -> dict[int, Command]:
    """Gateway -> the command of an end device that is the next one, locked."""
    held_back = Command.objects.filter(
        device_id=OuterRef("device_id"), state=CommandState.QUEUED, lease_until__gt=now
    ).exclude(~_IS_BUSY, sent_at__lt=OuterRef("device__via__registration__last_seen_at"))
    waiting = Command.objects.filter(
        ways.through_gateways("device__"),
        ~Exists(held_back),
        device__via_id=OuterRef("pk"),
        state=CommandState.QUEUED,
        expires_at__gt=now,
    ).order_by("-priority", "id")
    first = Device.objects.filter(pk__in=gateway_ids).annotate(next=Subquery(waiting.values("pk")[:1]))
    ids = [pk for pk in first.order_by().values_list("next", flat=True) if pk is not None]
    rows = _locked(Command.objects.filter(pk__in=ids, state=CommandState.QUEUED)) if ids else ()
    return {command.device.via_id: command for command in rows if command.device.via_id is not None}


def _locked(rows: QuerySet[Command]) -> QuerySet[Command]:
    return locks.rows(rows).select_related("device").order_by("device_id", "pk")


def first_of(own: Mapping[int, Command], behind: Mapping[int, Command]) -> dict[int, Command]:
    """Of the two mailboxes of each gateway the one whose turn it is."""
    chosen = dict(own)
    for gateway_id, command in behind.items():
        known = chosen.get(gateway_id)
        if known is None or (-command.priority, command.pk) < (-known.priority, known.pk):
            chosen[gateway_id] = command
    return chosen

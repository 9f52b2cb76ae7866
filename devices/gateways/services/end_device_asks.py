"""Asking a gateway of its end devices: a wanted observation of object 25, and a Read where that is not enough.

The Observe is answered with everything, so it is the first reading, too. All of it waits in the gateway's mailbox in
front of what is asked of the end devices, whose prefixes may be others by now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from accounts.errors import Refused
from audit import ledger
from devices.commands.models import Command, CommandState, Operation
from devices.commands.services import mailbox
from devices.gateways.services import end_devices
from devices.gateways.services.end_device_reading import OBJECT, PATH
from devices.inventory import locks
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.observations.services import observations
from devices.registry.models import RegistrationDetail

FIRST = 50
"""The priority of what has to be known before anything is sent to an end device."""
READ_AGAIN = timedelta(seconds=30)
"""A gateway that confuses its prefixes is not read more often than this."""
_READS = (Operation.READ, Operation.OBSERVE)


def registered(device_ids: Collection[int], *, now: datetime) -> list[int]:
    """After Register: those of these devices that are gateways are asked; returns them."""
    gateways = _gateways(device_ids)
    for gateway in gateways:
        _observe(gateway, now)
    _emptied(set(device_ids) - {gateway.pk for gateway in gateways}, now)
    return [gateway.pk for gateway in gateways]


def relisted(device_ids: Collection[int], *, now: datetime) -> list[int]:
    """After an Update with another object list: read again what came or went."""
    gateways = _gateways(device_ids)
    for gateway in gateways:
        _observe(gateway, now)
        _read(gateway, now, "The gateway's object list changed.")
    _emptied(set(device_ids) - {gateway.pk for gateway in gateways}, now)
    return [gateway.pk for gateway in gateways]


def doubt(*, device: Device, now: datetime) -> None:
    """An end device was not found under its prefix: it may be another by now."""
    if device.via_id is not None and device.gone_at is None:
        ask_again(gateway_ids=[device.via_id], now=now, reason="The prefix of an end device was not found.")


def ask_again(*, gateway_ids: Iterable[int], now: datetime, reason: str) -> list[int]:
    """Read object 25 of these live gateways, unless that is under way or was done a moment ago."""
    asked = []
    for gateway in _gateways(gateway_ids):
        lately = Command.objects.filter(
            device=gateway, path=PATH, operation__in=_READS, ended_at__gt=now - READ_AGAIN
        )
        if not lately.exists():
            _read(gateway, now, reason)
            asked.append(gateway.pk)
    return asked


def refused(*, gateway: Device, now: datetime) -> None:
    """It does not observe object 25; it may let it be read."""
    _read(gateway, now, "The gateway does not observe its list of end devices.")


def is_gateway(version: str, object_links: Mapping[str, object]) -> bool:
    """Registered with LwM2M 1.1 or later and object 25 (`OMA-TS-LWM2M_Gateway 1.1`)."""
    listed = object_links.get("objects") if object_links else None
    return version not in ("", "1.0") and isinstance(listed, Mapping) and str(OBJECT) in listed


def _gateways(device_ids: Iterable[int]) -> list[Device]:
    ids = set(device_ids)
    details = RegistrationDetail.objects.filter(
        device_id__in=ids, device__registration__is_live=True, device__access=Access.ACTIVE
    )
    found = [row.device_id for row in details if is_gateway(row.version, row.object_links)]
    return list(Device.objects.filter(pk__in=found).order_by("pk"))


def _emptied(device_ids: set[int], now: datetime) -> None:
    """Registered without object 25: nothing is behind them any more."""
    rows = Device.objects.filter(pk__in=device_ids, registration__is_live=True)
    for gateway in rows.filter(end_devices__gone_at=None, end_devices__isnull=False).distinct():
        end_devices.told(gateway=gateway, instances={}, is_whole=True, now=now)


def _observe(gateway: Device, now: datetime) -> None:
    try:
        observations.want(
            device=gateway,
            path=PATH,
            wanted_by=observations.SYSTEM,
            reason="The devices behind this gateway.",
            now=now,
            priority=FIRST,
        )
    except Refused:  # suspended at this very moment, or its list of observations is full
        _read(gateway, now, "The devices behind this gateway.")


def _read(gateway: Device, now: datetime, reason: str) -> None:
    with ledger.unit_of_work():
        locks.device(gateway.pk)
        waiting = Command.objects.filter(
            device=gateway, path=PATH, operation__in=_READS, state=CommandState.QUEUED
        )
        if waiting.exists():
            return
        try:
            mailbox.enqueue(
                device=gateway,
                operation=Operation.READ,
                path=PATH,
                requested_by=observations.SYSTEM,
                reason=reason,
                priority=FIRST,
                now=now,
            )
        except Refused:
            return

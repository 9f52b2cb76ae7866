"""The command mailbox: operations for devices, held until the device listens, delivered one at a time.

The row is the truth. Whoever flushes asks `claim`, sends, and says how it ended with
`devices.operations.services.settlement`; a claim whose lease ran out belongs to a dead process and is taken over.
Lock order: device, then command.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from audit import isolation, ledger
from devices.commands import events
from devices.commands.models import COMMAND_ENDED, Command, CommandState, Operation
from devices.commands.outcomes import Claimed, DeviceRefused, Done, Outcome, Silent
from devices.commands.selectors.mailbox import has_waiting, waiting_devices
from devices.commands.services import command_history, command_quotas, delivery
from devices.commands.services.delivery import BROKEN_OFF, LEASE_SECONDS, LOST, MAX_ATTEMPTS, RETRY_SECONDS
from devices.inventory import events as inventory_events
from devices.inventory import locks
from devices.inventory.errors import not_active
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.registry.selectors import flows, ways
from lwm2m.errors import Lwm2mError
from lwm2m.paths import Path

__all__ = [
    "BROKEN_OFF",
    "LEASE_SECONDS",
    "MAX_ATTEMPTS",
    "RETRY_SECONDS",
    "Claimed",
    "DeviceRefused",
    "Done",
    "Outcome",
    "Silent",
    "cancel",
    "claim",
    "enqueue",
    "expire_overdue",
    "finish",
    "has_waiting",
    "release",
    "waiting_devices",
]

EXPIRES_IN_SECONDS = 24 * 3600
_OPEN = (CommandState.QUEUED, CommandState.SENT)


def enqueue(
    *,
    device: Device,
    operation: str,
    path: str,
    arguments: Mapping[str, Any] | None = None,
    requested_by: str,
    reason: str = "",
    correlation: str = "",
    expires_in_seconds: int = EXPIRES_IN_SECONDS,
    priority: int = 0,
    is_waking: bool = False,
    now: datetime | None = None,
) -> Command:
    """Put one operation into the device's mailbox; higher `priority` goes first, else first in, first out.

    With `is_waking` it is sent although the device should be asleep, and `correlation` is told when it has ended.
    Raises Refused for a path or operation that does not exist and for a device that is not active.
    """
    now = now or timezone.now()
    canonical = _checked(operation, path)
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        if locked.access != Access.ACTIVE:
            raise not_active(locked.access)
        command_quotas.check(locked, requested_by)
        command = Command.objects.create(
            device=locked,
            operation=operation,
            path=canonical,
            arguments=dict(arguments or {}),
            priority=priority,
            requested_by=requested_by,
            reason=reason,
            correlation=correlation,
            is_waking=is_waking,
            created_at=now,
            expires_at=now + timedelta(seconds=expires_in_seconds),
        )
        command_history.queued(command, locked)
        events.nudge(flows.flow(locked), ways.carrier_id(locked) or locked.pk)
        inventory_events.device_changed(locked.pk, locked.operator_id, ["commands"])
    return command


def _checked(operation: str, path: str) -> str:
    if operation not in Operation.values:
        raise Refused("OPERATION_UNKNOWN", field="operation", operation=operation)
    try:
        return str(Path.parse(path))
    except Lwm2mError as error:
        raise Refused("PATH_MALFORMED", field="path", said=error.detail) from None


def claim(*, device_id: int, flow: str, now: datetime, lease_seconds: int = LEASE_SECONDS) -> Claimed | None:
    """The next command of the device for the process `flow`; None when nothing may be sent to it now.

    One in flight per device (NSTART=1). The caller has checked that the device listens.
    """
    with ledger.unit_of_work():
        devices = locks.devices([device_id])
        claimed = delivery.claim(devices=devices, flow=flow, now=now, lease_seconds=lease_seconds)
    return claimed.get(device_id)


def finish(*, command_id: int, outcome: Done, now: datetime) -> None:
    """End a command that needs nothing of the device, such as forgetting an observation it never made."""
    with ledger.unit_of_work():
        device = _lock_device(command_id)
        command = locks.rows(Command.objects).get(pk=command_id)
        if device is not None and command.state == CommandState.QUEUED:
            delivery.settle_one(command, device, outcome, now)


def release(*, flow: str, now: datetime) -> int:
    """A southbound process ends: give back what it claimed; returns how many commands that were."""
    claimed = Command.objects.filter(state=CommandState.SENT, claimed_by=flow).values_list("pk", flat=True)
    return isolation.one_by_one(list(claimed), lambda pk: _give_back(pk, now), what="command_release")


def _give_back(command_id: int, now: datetime) -> bool:
    with ledger.unit_of_work():
        device = _lock_device(command_id)
        devices = {device.pk: device} if device is not None else {}
        return bool(delivery.settle(devices=devices, outcomes=[(command_id, LOST)], now=now))


def cancel(*, command_id: int, reason: str = "", now: datetime | None = None) -> bool:
    """Take back a command that has not ended; False when it has. One in flight may still reach the device."""
    with ledger.unit_of_work():
        device = _lock_device(command_id)
        if device is None:
            return False
        command = locks.rows(Command.objects).get(pk=command_id)
        if command.state in COMMAND_ENDED:
            return False
        delivery.end(command, device, CommandState.CANCELLED, now or timezone.now(), reason=reason)
    return True


def cancel_all(*, device: Device, reason: str, now: datetime) -> int:
    """Take back whatever waits for a device that the caller has locked; returns how many."""
    waiting = locks.rows(Command.objects.open()).filter(device=device).order_by("pk")
    for command in waiting:
        delivery.end(command, device, CommandState.CANCELLED, now, cause="COMMAND_CANCELLED", reason=reason)
    return len(waiting)


def expire_overdue(*, now: datetime, limit: int = 500) -> int:
    """End commands that waited past `expires_at` and return how many; those in flight keep their lease."""
    overdue = Command.objects.filter(state=CommandState.QUEUED, expires_at__lte=now).order_by("expires_at")
    ids = list(overdue.values_list("pk", flat=True)[:limit])
    return isolation.one_by_one(ids, lambda command_id: _expire(command_id, now), what="command_expiry")


def _expire(command_id: int, now: datetime) -> bool:
    with ledger.unit_of_work():
        device = _lock_device(command_id)
        if device is None:
            return False
        command = locks.rows(Command.objects).get(pk=command_id)
        if command.state != CommandState.QUEUED or command.expires_at > now:
            return False
        delivery.end(
            command,
            device,
            CommandState.EXPIRED,
            now,
            cause=command.cause or "COMMAND_EXPIRED",
            detail=command.detail,
        )
    return True


def _lock_device(command_id: int) -> Device | None:
    return locks.owner(commands=command_id)

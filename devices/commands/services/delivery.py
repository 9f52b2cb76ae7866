"""Commands on their way, for many devices at once: how those that were sent ended, and which are next.

Used by the mailbox, and by southbound for all that its loop had meanwhile: a device costs a share of a statement
instead of a dozen. The caller has locked the devices (`locks.devices`), and what is locked here belongs to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery

from audit import ledger
from devices.commands import command_rows, events
from devices.commands.models import Command, CommandState, Operation
from devices.commands.outcomes import BUSY, Claimed, DeviceRefused, Done, Later, Outcome, Silent
from devices.commands.services import command_history, gateway_delivery
from devices.inventory import events as inventory_events
from devices.inventory import locks, object_models, secrecy, vault
from devices.inventory.models import Device
from devices.inventory.states import Access
from devices.registry.models import Registration
from lwm2m.paths import Path

LEASE_SECONDS = 330
"""Longer than two exchanges, MAX_TRANSMIT_WAIT (93 s) and 60 s for the response each: attributes, then Observe.

Whoever sends prolongs it while a transfer in blocks goes on: `prolong`.
"""
MAX_ATTEMPTS = 3
MAX_BROKEN_OFF = 10
"""A device that registers anew each time it is asked may fail over the very command."""
RETRY_SECONDS = 60
MAX_LATER = 5
"""So often a command is sent to a device that answers 5.03 each time."""
LATER_SECONDS = (1.0, 900.0)
"""The shortest and longest time that a device is believed to need (Max-Age of 5.03)."""
DETAIL_LIMIT = 500
NODES_LIMIT = 2_000
# Sending these twice is not the same as sending them once.
_ONCE = frozenset({Operation.EXECUTE, Operation.CREATE})
LOST = Silent("RESPONSE_TIMEOUT", "The process that sent it stopped before an answer came.")
BROKEN_OFF = Silent(
    "DEVICE_UNREACHABLE", "The device registered anew or moved before it answered.", is_counted=False
)
"""The device listens at its new place: a command that may be repeated is tried there at once."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A command that was in flight; `answer` is what its device said, None where that was nothing or "later"."""

    command: Command
    answer: Done | DeviceRefused | None


def settle(
    *, devices: Mapping[int, Device], outcomes: Sequence[tuple[int, Outcome]], now: datetime
) -> list[Settled]:
    """Write how claimed commands of locked devices ended; those that are not in flight any more are left alone.

    What an answer means for other rooms is not written: `devices.operations.services.settlement` does both.
    """
    said = dict(outcomes)
    rows = locks.rows(Command.objects).filter(pk__in=said, device_id__in=devices, state=CommandState.SENT)
    commands = list(rows.order_by("device_id", "pk").defer("created_at", "expires_at", "sent_at"))
    return _settle_all([(command, said[command.pk]) for command in commands], devices, now)


def claim(
    *,
    devices: Mapping[int, Device],
    flow: str,
    now: datetime,
    lease_seconds: int = LEASE_SECONDS,
    asleep: Set[int] = frozenset(),
) -> dict[int, Claimed]:
    """The next command of each of these locked devices, where one may be sent now: one in flight (NSTART=1).

    For a gateway it may be one of a device behind it. Those `asleep` get only what is meant to wake them. What a
    process that died had claimed is settled as lost, and may be the next one. What is settled here no device has
    answered, so that nothing else follows.
    """
    free = {pk: device for pk, device in devices.items() if device.access == Access.ACTIVE}
    gateways = gateway_delivery.gateways(free)
    sent = [(c.device_id, c) for c in Command.objects.filter(device_id__in=free, state=CommandState.SENT)]
    through = gateway_delivery.in_flight(gateways) if gateways else ()
    sent += [(c.device.via_id, c) for c in through if c.device.via_id is not None]
    overdue = [command for _, command in sent if command.lease_until is None or command.lease_until <= now]
    behind = {command.device_id: command.device for command in overdue if command.device_id not in free}
    _settle_all([(command, LOST) for command in overdue], free | behind, now)
    for carrier_id, command in sent:
        if command not in overdue:
            free.pop(carrier_id, None)
    awake = {pk: device for pk, device in free.items() if pk not in asleep}
    dozing = {pk: free[pk] for pk in asleep & free.keys()}
    chosen = {c.device_id: c for c in _next(awake, now) + _next(dozing, now, only_waking=True)}
    if gateways := gateways & awake.keys():
        chosen = gateway_delivery.first_of(chosen, gateway_delivery.next_of(gateways, now))
    lease_until = now + timedelta(seconds=lease_seconds)
    Command.objects.filter(pk__in=[command.pk for command in chosen.values()]).update(
        state=CommandState.SENT,
        attempts=F("attempts") + 1,
        claimed_by=flow,
        sent_at=now,
        lease_until=lease_until,
    )
    claimed: dict[int, Claimed] = {}
    unreadable: dict[int, Command] = {}
    for carrier_id, command in chosen.items():
        try:
            claimed[carrier_id] = _claimed(command, lease_until)
        except vault.Unreadable:
            unreadable[carrier_id] = command
    if not unreadable:
        return claimed
    behind = {c.device_id: c.device for c in unreadable.values() if c.device_id not in devices}
    why = DeviceRefused(
        "", "SECRET_UNREADABLE", "The secret in it cannot be opened any more; order it again."
    )
    _settle_all([(command, why) for command in unreadable.values()], {**devices, **behind}, now)
    rest = {carrier_id: devices[carrier_id] for carrier_id in unreadable}
    following = claim(devices=rest, flow=flow, now=now, lease_seconds=lease_seconds, asleep=asleep)
    return claimed | following


def prolong(*, command_id: int, flow: str, until: datetime) -> bool:
    """What `flow` sends goes on: nobody else may take it before `until`. False: it is not in flight any more."""
    rows = Command.objects.filter(pk=command_id, state=CommandState.SENT, claimed_by=flow)
    return rows.update(lease_until=until) > 0


def _claimed(command: Command, lease_until: datetime) -> Claimed:
    return Claimed(
        command.pk,
        command.device_id,
        command.operation,
        command.path,
        secrecy.opened(command.arguments),
        command.attempts + 1,
        lease_until,
    )


def _next(devices: Mapping[int, Device], now: datetime, *, only_waking: bool = False) -> list[Command]:
    if not devices:
        return []
    waiting = Command.objects.filter(
        device_id=OuterRef("pk"), state=CommandState.QUEUED, expires_at__gt=now
    ).order_by("-priority", "id")
    if only_waking:
        waiting = waiting.filter(is_waking=True)
    first = Device.objects.filter(pk__in=devices).annotate(next=Subquery(waiting.values("pk")[:1]))
    ids = [pk for pk in first.order_by().values_list("next", flat=True) if pk is not None]
    if not ids:
        return []
    commands = list(
        locks.rows(Command.objects).filter(pk__in=ids).order_by("device_id").defer("created_at", "expires_at")
    )
    held_back = [command for command in commands if command.lease_until and command.lease_until > now]
    return [command for command in commands if command not in held_back] + _heard_since(held_back)


def _heard_since(held_back: Sequence[Command]) -> list[Command]:
    """Held back after silence, unless the device has spoken since: then it listens. One that is busy is believed."""
    held_back = [command for command in held_back if command.cause != BUSY]
    if not held_back:
        return []
    rows = Registration.objects.live().filter(device_id__in=[c.device_id for c in held_back])
    seen = dict(rows.values_list("device_id", "last_seen_at"))
    return [c for c in held_back if c.sent_at and c.device_id in seen and seen[c.device_id] > c.sent_at]


def _settle_all(
    pairs: Sequence[tuple[Command, Outcome]], devices: Mapping[int, Device], now: datetime
) -> list[Settled]:
    """The rows of the commands are written in one statement."""
    if not pairs:
        return []
    settled: list[Settled] = []
    with ledger.together():
        for command, outcome in pairs:
            command.device = devices[command.device_id]
            settled.append(Settled(command, _judge(command, command.device, outcome, now)))
    command_rows.write([command for command, _ in pairs])
    told = {command.device_id: command.device.operator_id for command, _ in pairs}
    inventory_events.devices_changed(told.items(), ["commands"])
    return settled


def settle_one(command: Command, device: Device, outcome: Outcome, now: datetime) -> None:
    """Of a command that waits or was sent; both are locked."""
    _settle_all([(command, outcome)], {device.pk: device}, now)


def _judge(command: Command, device: Device, outcome: Outcome, now: datetime) -> Done | DeviceRefused | None:
    """Put it into the row; returns the answer that ended the command."""
    match outcome:
        case Done(code, answer):
            catalogue = object_models.catalogue(device.operator_id)
            shown = secrecy.masked(_bounded(answer), Path.parse(command.path), catalogue)
            _end(command, device, CommandState.DONE, now, code=code, answer=shown)
            return outcome
        case DeviceRefused(code, cause, detail):
            _end(command, device, CommandState.REFUSED, now, code=code, cause=cause, detail=detail)
            return outcome
        case Later(seconds, _, detail) if command.attempts < MAX_LATER:
            shortest, longest = LATER_SECONDS
            _again(command, BUSY, detail, now + timedelta(seconds=min(max(seconds, shortest), longest)))
        case Later(_, code, detail):
            return _judge(command, device, DeviceRefused(code, BUSY, detail), now)
        case Silent(cause, detail):
            if not outcome.is_counted and command.broken_off < MAX_BROKEN_OFF:
                command.broken_off += 1
                command.attempts = max(0, command.attempts - 1)
            is_last = outcome.is_final or command.attempts >= MAX_ATTEMPTS
            if command.operation in _ONCE or is_last:
                _end(command, device, CommandState.SILENT, now, cause=cause, detail=detail)
            else:
                is_held_back = outcome is not LOST and outcome is not BROKEN_OFF
                _again(
                    command, cause, detail, now + timedelta(seconds=RETRY_SECONDS) if is_held_back else None
                )
    return None


def _again(command: Command, cause: str, detail: str, at: datetime | None) -> None:
    """It waits for its next try, not before `at`."""
    command.state = CommandState.QUEUED
    command.cause, command.detail = cause, detail[:DETAIL_LIMIT]
    command.lease_until, command.claimed_by = at, ""


def _bounded(answer: Any) -> Any:
    """The values are stored as such; of a long list of them the row of the command keeps the beginning."""
    if not isinstance(answer, Mapping) or len(answer.get("nodes", ())) <= NODES_LIMIT:
        return answer
    nodes = answer["nodes"]
    return {**answer, "nodes": nodes[:NODES_LIMIT], "more": len(nodes) - NODES_LIMIT}


def end(command: Command, device: Device, state: CommandState, now: datetime, **how: Any) -> None:
    """End one command that was never settled on the air: taken back, or expired."""
    _end(command, device, state, now, **how)
    command_rows.write([command])
    inventory_events.device_changed(device.pk, device.operator_id, ["commands"])


def _end(
    command: Command,
    device: Device,
    state: CommandState,
    now: datetime,
    *,
    code: str = "",
    answer: Any = None,
    cause: str = "",
    detail: str = "",
    reason: str = "",
) -> None:
    command.state = state
    command.ended_at = now
    command.lease_until = None
    command.response_code, command.answer = code, answer
    command.cause, command.detail = cause, detail[:DETAIL_LIMIT]
    command_history.ended(command, device, reason=reason)
    events.settled(command.pk, command.correlation)

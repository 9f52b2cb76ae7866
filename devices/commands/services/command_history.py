"""The ledger events of commands: asked for, and how they ended; not the tries between."""

from __future__ import annotations

from audit.actions import Action
from devices.commands.models import Command, CommandState
from devices.inventory.models import Device
from devices.inventory.services import device_trail

_ENDS = {
    CommandState.DONE: (Action.COMMAND_DONE, "ok"),
    CommandState.REFUSED: (Action.COMMAND_REFUSED, "refused"),
    CommandState.SILENT: (Action.COMMAND_SILENT, "failed"),
    CommandState.EXPIRED: (Action.COMMAND_EXPIRED, "failed"),
    CommandState.CANCELLED: (Action.COMMAND_CANCELLED, "ok"),
}


def queued(command: Command, device: Device) -> None:
    _record(Action.COMMAND_QUEUED, command, device, reason=command.reason)


def ended(command: Command, device: Device, *, reason: str = "") -> None:
    action, result = _ENDS[CommandState(command.state)]
    _record(action, command, device, result=result, cause=command.cause, reason=reason)


def _record(
    action: Action,
    command: Command,
    device: Device,
    *,
    result: str = "ok",
    cause: str = "",
    reason: str = "",
) -> None:
    device_trail.record(
        device,
        action,
        result=result,
        cause=cause,
        reason=reason,
        detail={
            "command_id": command.pk,
            "operation": command.operation,
            "path": command.path,
            "requested_by": command.requested_by,
            "response_code": command.response_code,
            "attempts": command.attempts,
        },
    )

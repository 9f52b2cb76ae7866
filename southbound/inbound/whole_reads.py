"""A notification that had only its first block: the whole is read by a command of its own (RFC 7959 section 3.4)."""

from __future__ import annotations

from accounts.errors import Refused
from devices.commands.models import Command, CommandState, Operation
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.observations.services.observations import Observed


def ask(observed: Observed) -> None:
    """In the caller's transaction, unless it is asked for already."""
    operation = Operation.READ_COMPOSITE if observed.is_composite else Operation.READ
    path = "/" if observed.is_composite else observed.paths[0]
    waiting = Command.objects.filter(
        device_id=observed.device_id, operation=operation, path=path, state=CommandState.QUEUED
    )
    device = Device.objects.filter(pk=observed.device_id).first()
    if device is None or waiting.exists():
        return
    arguments: dict[str, object] = {"paths": list(observed.paths)} if observed.is_composite else {}
    try:
        mailbox.enqueue(
            device=device,
            operation=operation,
            path=path,
            arguments=arguments,
            requested_by="system",
            reason="A notification came in blocks.",
        )
    except Refused:  # suspended at this very moment
        return

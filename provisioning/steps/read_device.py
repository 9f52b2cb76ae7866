"""Reads /3/0 through the mailbox and keeps manufacturer, model, serial number and firmware version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from devices.commands.models import COMMAND_ENDED, Command, CommandState, Operation
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.inventory.services import devices
from provisioning import correlations
from provisioning.models import JobStep
from provisioning.steps.results import Done, Failed, StepResult, Waiting

TITLE = _("Read device")
MAX_COMMANDS = 5
_NAMES = {
    "/3/0/0": "manufacturer",
    "/3/0/1": "model_number",
    "/3/0/2": "serial_number",
    "/3/0/3": "firmware_version",
}


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    sent = Command.objects.filter(device=device, correlation=correlations.of_step(step.pk)).order_by("-pk")
    command = sent.first()
    if command is not None and command.state not in COMMAND_ENDED:
        return Waiting(command.cause, command.detail)
    if command is not None and command.state == CommandState.DONE:
        devices.describe(device=device, facts=facts(command.answer))
        return Done({"command_id": command.pk})
    if command is not None and command.state == CommandState.REFUSED:
        # The device is online and answers; that it keeps /3/0 to itself is its own affair.
        return Done(
            {"command_id": command.pk}, command.cause, f"{command.response_code} {command.detail}".strip()
        )
    if command is not None and sent.count() >= MAX_COMMANDS:
        return Failed(command.cause or "DEVICE_UNREACHABLE", command.detail)
    fresh = mailbox.enqueue(
        device=device,
        operation=Operation.READ,
        path="/3/0",
        requested_by=f"job:{step.job_id}",
        reason="Bringing the device online",
        correlation=correlations.of_step(step.pk),
        now=now,
    )
    return Waiting(command.cause if command else "", data={"command_id": fresh.pk})


def facts(answer: Any) -> dict[str, str]:
    """The four facts among the nodes of a decoded answer; none where the device said something else."""
    nodes = answer.get("nodes", ()) if isinstance(answer, Mapping) else ()
    return {_NAMES[node["path"]]: str(node["value"]) for node in nodes if node["path"] in _NAMES}


def due() -> Q:
    ended = Command.objects.ended().filter(
        device=OuterRef("job__device_id"),
        correlation=correlations.of_outer_step(),
    )
    return Q(Exists(ended))

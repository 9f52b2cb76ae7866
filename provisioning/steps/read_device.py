"""Reads /3/0 through the mailbox and keeps manufacturer, model, serial number and firmware version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from devices.models import COMMAND_ENDED, Command, CommandState, Device, Operation
from devices.services import inventory, mailbox
from provisioning.models import JobStep
from provisioning.steps.results import Done, Failed, StepResult, Waiting

TITLE = "Read device"
CORRELATION = "job-step"
MAX_COMMANDS = 5
_NAMES = {"0": "manufacturer", "1": "model_number", "2": "serial_number", "3": "firmware_version"}


def correlation(step_id: int) -> str:
    return f"{CORRELATION}:{step_id}"


def run(*, step: JobStep, device: Device, now: datetime) -> StepResult:
    sent = Command.objects.filter(device=device, correlation=correlation(step.pk)).order_by("-pk")
    command = sent.first()
    if command is not None and command.state not in COMMAND_ENDED:
        return Waiting(command.cause, command.detail)
    if command is not None and command.state == CommandState.DONE:
        inventory.describe(device=device, facts=facts(command.answer))
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
        correlation=correlation(step.pk),
        now=now,
    )
    return Waiting(command.cause if command else "", data={"command_id": fresh.pk})


def facts(answer: Any) -> dict[str, str]:
    """The four facts out of a decoded answer: a list of {"path", "value"} or a mapping of path to value."""
    if isinstance(answer, Mapping):
        answer = answer.get("nodes", answer.get("values", answer))
    if isinstance(answer, Mapping):
        pairs = [(str(path), value) for path, value in answer.items()]
    elif isinstance(answer, list):
        pairs = [(str(row.get("path", "")), row.get("value")) for row in answer if isinstance(row, Mapping)]
    else:
        return {}
    found: dict[str, str] = {}
    for path, value in pairs:
        ids = path.strip("/").split("/")
        name = (
            _NAMES.get(ids[-1]) if len(ids) in (1, 3) and (len(ids) == 1 or ids[:2] == ["3", "0"]) else None
        )
        if name is not None and value is not None:
            found[name] = str(value)
    return found


def due() -> Q:
    ended = Command.objects.filter(
        device=OuterRef("job__device_id"),
        correlation=Concat(Value(f"{CORRELATION}:"), Cast(OuterRef("pk"), CharField())),
        state__in=COMMAND_ENDED,
    )
    return Q(Exists(ended))

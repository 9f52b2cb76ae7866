"""A device that answers what waits in its mailbox, as southbound would report it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from devices.commands.outcomes import Claimed, DeviceRefused, Done, Observing
from devices.commands.services import mailbox
from devices.inventory.models import Device
from devices.operations.services import settlement


def claim(device: Device) -> Claimed | None:
    return mailbox.claim(device_id=device.pk, flow="southbound.1.test", now=timezone.now())


def answer(
    device: Device, code: str = "2.05", nodes: dict[str, Any] | None = None, token: str = ""
) -> Claimed:
    """The next command is answered; with a token the answer carries Observe."""
    claimed = claim(device)
    assert claimed is not None
    said = None if nodes is None else {"nodes": [{"path": p, "value": v} for p, v in nodes.items()]}
    registration_id = device.registration.registration_id
    observing = Observing(registration_id, token) if token else None
    outcome = Done(code, said, observing) if code[0] == "2" else DeviceRefused(code)
    settlement.settle_one(command_id=claimed.command_id, outcome=outcome, now=timezone.now())
    return claimed

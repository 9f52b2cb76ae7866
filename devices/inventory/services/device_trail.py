"""What happened to a device, in the ledger: every event about one says whose it is and which."""

from __future__ import annotations

from typing import Any

from audit import ledger
from audit.actions import Action
from devices.inventory.models import Device


def record(device: Device, action: Action, **what: Any) -> None:
    """`audit.ledger.record`, with the device's operator, subscriber and endpoint name."""
    ledger.record(
        action=action,
        operator_id=device.operator_id,
        device_id=device.pk,
        subscriber_id=device.subscriber_id,
        target=device.endpoint,
        **what,
    )

"""Which southbound process can send to a device: the one that heard it last, unless one holds the transport's channel.

Who holds such a channel is known to the room of the transport, which registers how it is found in `ready` of its app.
"""

from __future__ import annotations

from collections.abc import Callable

from devices.inventory.models import Device
from devices.registry.selectors import ways

Holder = Callable[[int], str]
"""Operator id -> the flow that holds its channel; empty while none does."""
_holders: dict[str, Holder] = {}


def register(transport: str, holder: Holder) -> None:
    _holders[transport] = holder


def flow(device: Device) -> str:
    """Empty where no registration leads to the device, or nobody can send to it now."""
    row = ways.live_registration(device).values_list("flow", "transport").first()
    if row is None:
        return ""
    heard_by, transport = row
    holder = _holders.get(transport)
    return heard_by if holder is None else holder(device.operator_id)

"""Commands that are meant to wake a device: sent to one that should be asleep or late, while it is registered.

They are known by the start of their correlation. Nothing else may be sent to a device that does not listen.
"""

from __future__ import annotations

from devices.models import Command, CommandState

CORRELATION = "reach:"


def waits_for(device_id: int) -> bool:
    """Whether such a command waits for the device."""
    return Command.objects.filter(
        device_id=device_id, state=CommandState.QUEUED, correlation__startswith=CORRELATION
    ).exists()

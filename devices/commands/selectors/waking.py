"""Commands that are meant to wake a device: sent to one that should be asleep or late, while it is registered.

Nothing else may be sent to a device that does not listen. Whoever enqueues one says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from devices.commands.models import Command, CommandState


def waiting(device_ids: Iterable[int]) -> set[int]:
    """Of these devices those for which such a command waits."""
    ids = list(device_ids)
    if not ids:
        return set()
    rows = Command.objects.filter(device_id__in=ids, state=CommandState.QUEUED, is_waking=True)
    return set(rows.order_by().values_list("device_id", flat=True))

"""How long commands are kept after they ended; the ledger keeps what happened."""

from __future__ import annotations

from datetime import datetime

from audit import pruning
from devices.commands.models import Command


def prune(*, now: datetime) -> int:
    """Delete commands that ended so long ago; returns how many went. What waits or is on its way stays."""
    ended = Command.objects.ended()
    return pruning.delete(ended.filter(ended_at__lt=pruning.before(now)))

"""How long Django's own log of the admin is kept; the ledger keeps what happened, and why."""

from __future__ import annotations

from datetime import datetime

from django.contrib.admin.models import LogEntry

from audit import pruning


def prune(*, now: datetime) -> int:
    """Delete entries that are so old; returns how many went."""
    return pruning.delete(LogEntry.objects.filter(action_time__lt=pruning.before(now)))

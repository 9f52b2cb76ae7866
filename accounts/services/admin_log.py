"""How long Django's own log of the admin is kept; the ledger keeps what happened, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry

LIMIT = 10_000
"""So many in one run: the next one goes on."""
CHUNK = 500


def prune(*, now: datetime) -> int:
    """Delete entries that are so old; returns how many went."""
    before = now - timedelta(days=settings.RECORDS_KEPT_DAYS)
    ids = list(
        LogEntry.objects.filter(action_time__lt=before).order_by("pk").values_list("pk", flat=True)[:LIMIT]
    )
    for at in range(0, len(ids), CHUNK):
        LogEntry.objects.filter(pk__in=ids[at : at + CHUNK]).delete()
    return len(ids)

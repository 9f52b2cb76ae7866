"""How long commands are kept after they ended; the ledger keeps what happened."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from devices.commands.models import COMMAND_ENDED, Command

LIMIT = 10_000
"""So many in one run: the next one goes on."""
CHUNK = 500


def prune(*, now: datetime) -> int:
    """Delete commands that ended so long ago; returns how many went. What waits or is on its way stays."""
    before = now - timedelta(days=settings.RECORDS_KEPT_DAYS)
    over = Command.objects.filter(state__in=COMMAND_ENDED, ended_at__lt=before)
    ids = list(over.order_by("pk").values_list("pk", flat=True)[:LIMIT])
    for at in range(0, len(ids), CHUNK):
        Command.objects.filter(pk__in=ids[at : at + CHUNK]).delete()
    return len(ids)

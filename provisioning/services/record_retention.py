"""How long jobs and bootstrap sessions are kept after they ended; the ledger keeps what happened.

The newest of each device stays for ever: it says how the device came to be what it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from provisioning.models import BootstrapSession, Job

LIMIT = 10_000
"""So many of a kind in one run: the next one goes on."""
CHUNK = 500


def prune(*, now: datetime) -> int:
    """Delete those that ended so long ago and have a newer one, with their steps and exchanges; returns how many."""
    before = now - timedelta(days=settings.RECORDS_KEPT_DAYS)
    gone = 0
    for model in (Job, BootstrapSession):
        newer = model.objects.filter(device_id=OuterRef("device_id"), pk__gt=OuterRef("pk"))
        over = model.objects.filter(Exists(newer), finished_at__lt=before)
        ids = list(over.order_by("pk").values_list("pk", flat=True)[:LIMIT])
        for at in range(0, len(ids), CHUNK):
            model.objects.filter(pk__in=ids[at : at + CHUNK]).delete()
        gone += len(ids)
    return gone

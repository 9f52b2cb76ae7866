"""How long jobs and bootstrap sessions are kept after they ended; the ledger keeps what happened.

The newest of each device stays for ever: it says how the device came to be what it is.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef

from audit import pruning
from provisioning.models import BootstrapSession, Job


def prune(*, now: datetime) -> int:
    """Delete those that ended so long ago and have a newer one, with their steps and exchanges; returns how many."""
    gone = 0
    for model in (Job, BootstrapSession):
        newer = model.objects.filter(device_id=OuterRef("device_id"), pk__gt=OuterRef("pk"))
        gone += pruning.delete(model.objects.filter(Exists(newer), finished_at__lt=pruning.before(now)))
    return gone

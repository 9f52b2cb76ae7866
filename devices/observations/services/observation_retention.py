"""How long observations are kept after they ended; the ledger keeps what happened."""

from __future__ import annotations

from datetime import datetime

from audit import pruning
from devices.observations.models import Observation, ObservationState


def prune(*, now: datetime) -> int:
    """Delete those that ended so long ago; returns how many went."""
    ended = Observation.objects.filter(state=ObservationState.ENDED)
    return pruning.delete(ended.filter(ended_at__lt=pruning.before(now)))

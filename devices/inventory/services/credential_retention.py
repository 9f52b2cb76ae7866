"""How long retired credentials are kept; the ledger keeps what happened."""

from __future__ import annotations

from datetime import datetime

from audit import pruning
from devices.inventory.models import Credential, CredentialState


def prune(*, now: datetime) -> int:
    """Delete those that were retired so long ago; returns how many went."""
    retired = Credential.objects.filter(state=CredentialState.RETIRED)
    return pruning.delete(retired.filter(retired_at__lt=pruning.before(now)))

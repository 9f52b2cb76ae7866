"""How long SMS are kept after they are over: long enough to be looked into."""

from __future__ import annotations

from datetime import datetime, timedelta

from audit import pruning
from devices.messaging.models import SmsMessage, SmsPart, SmsSpent
from devices.messaging.services import sms_receipt_keys

KEPT = timedelta(days=30)


def prune(*, now: datetime) -> int:
    """Delete what was over that long ago; returns how many went. What waits is never deleted."""
    before = now - KEPT
    parts = SmsPart.objects.filter(handled_at__lt=before)
    messages = SmsMessage.objects.filter(created_at__lt=before).ended()
    days = SmsSpent.objects.filter(day__lt=before.date())
    gone = sms_receipt_keys.prune(now=now, limit=pruning.LIMIT)
    for rows in (parts, messages, days):
        gone += pruning.delete(rows)
    return gone

"""How long SMS are kept after they are over: long enough to be looked into."""

from __future__ import annotations

from datetime import datetime, timedelta

from devices.messaging.models import SMS_OPEN, SmsMessage, SmsPart, SmsSpent
from devices.messaging.services import sms_receipt_keys

KEPT = timedelta(days=30)
LIMIT = 10_000
"""So many rows of a kind in one run: the next one goes on."""


def prune(*, now: datetime) -> int:
    """Delete what was over that long ago; returns how many rows went. What waits is never deleted."""
    before = now - KEPT
    parts = SmsPart.objects.filter(handled_at__lt=before)
    messages = SmsMessage.objects.filter(created_at__lt=before).exclude(state__in=SMS_OPEN)
    days = SmsSpent.objects.filter(day__lt=before.date())
    gone = sms_receipt_keys.prune(now=now, limit=LIMIT)
    for rows in (parts, messages, days):
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:LIMIT])
        for at in range(0, len(ids), 500):
            gone += rows.model._default_manager.filter(pk__in=ids[at : at + 500]).delete()[0]
    return gone

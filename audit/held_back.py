"""Tells what strangers did beyond their budget: one event for each subject, action, cause and hour, with its number."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from audit import ledger, locks
from audit.actions import Action
from audit.entries import Event
from audit.models import LedgerEvent, StrangerTally

TOLD_AT_ONCE = 500


def tell(*, now: datetime) -> int:
    """For hours that are over, so many tallies at a time; returns how many tallies were worked off."""
    over = StrangerTally.objects.filter(hour__lt=now - timedelta(hours=1))
    with ledger.unit_of_work():
        rows = list(locks.rows(over.order_by("hour", "chain", "subject", "action", "cause"))[:TOLD_AT_ONCE])
        ledger.record_many([_summary(row) for row in rows if row.held_back])
        StrangerTally.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _summary(row: StrangerTally) -> Event:
    """As the last of its kind that was written, with how many more there were."""
    event = Event(
        action=Action(row.action),
        operator_id=row.chain or None,
        actor=ledger.SYSTEM,
        result="refused",
        cause=row.cause,
        target=row.subject,
        detail={"held_back": row.held_back, "hour": row.hour.isoformat()},
    )
    kind, _, number = row.subject.partition(":")
    if kind != "device":
        return event
    event = replace(event, device_id=int(number))
    said = LedgerEvent.objects.filter(device_id=event.device_id, chain=row.chain, action=row.action)
    last = said.order_by("-id").first()
    if last is None:
        return event
    return replace(event, target=last.target, subscriber_id=last.subscriber_id, result=last.result)

"""How long an operator keeps the history of values, and clearing away what is older."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Operator
from audit import ledger
from devices import locks
from devices.errors import Refused
from devices.telemetry import DEFAULT_HISTORY_DAYS, HistoryRetention, ResourceHistory, ResourceValue

LIMIT_DAYS = 3660
CHUNK = 500
"""So many resources in one statement: short transactions, each within the primary key."""


def days(operator: Operator) -> int:
    """For how many days the operator keeps history, be it said or by default."""
    row = HistoryRetention.objects.filter(operator=operator).first()
    return DEFAULT_HISTORY_DAYS if row is None else row.days


def set_days(*, operator: Operator, days: int) -> HistoryRetention:
    """Keep the history of the operator's devices for so many days; 0 keeps none."""
    if not 0 <= days <= LIMIT_DAYS:
        raise Refused("VALIDATION_FAILED", f"History is kept for 0 to {LIMIT_DAYS} days.", "days")
    with ledger.unit_of_work():
        row, _ = locks.rows(HistoryRetention.objects).get_or_create(operator=operator)
        before = row.days
        row.days = days
        row.save(update_fields=["days"])
        ledger.record(
            action="history.retention",
            operator_id=operator.pk,
            target=operator.slug,
            before={"days": before},
            after={"days": days},
        )
    return row


def prune(*, now: datetime) -> int:
    """Delete history that is older than its operator keeps it; returns how many values went."""
    gone = 0
    kept = dict(HistoryRetention.objects.values_list("operator_id", "days"))
    for operator_id in Operator.objects.order_by("pk").values_list("pk", flat=True):
        before = now - timedelta(days=kept.get(operator_id, DEFAULT_HISTORY_DAYS))
        gone += _prune(operator_id, before)
    return gone


def _prune(operator_id: int, before: datetime) -> int:
    gone, last = 0, 0
    while True:
        ids = list(
            ResourceValue.objects.filter(device__operator_id=operator_id, pk__gt=last)
            .order_by("pk")
            .values_list("pk", flat=True)[:CHUNK]
        )
        if not ids:
            return gone
        last = ids[-1]
        gone += ResourceHistory.objects.filter(value_id__in=ids, at__lt=before).delete()[0]

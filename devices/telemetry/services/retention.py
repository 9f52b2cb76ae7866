"""How long an operator keeps the history of values, and clearing away what is older."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger
from audit.actions import Action
from devices.inventory import locks
from devices.telemetry.models import (
    DEFAULT_HISTORY_DAYS,
    HistoryRetention,
    ResourceHistory,
    ResourceValue,
    TidyingCursor,
)

LIMIT_DAYS = 3660
CHUNK = 500
CHUNKS = 1_000
"""So many of them in one run: half a million values."""
CURSOR = "history"
"""So many resources in one statement: short transactions, each within the primary key."""


def days(operator: Operator) -> int:
    """For how many days the operator keeps history, be it said or by default."""
    row = HistoryRetention.objects.filter(operator=operator).first()
    return DEFAULT_HISTORY_DAYS if row is None else row.days


def set_days(*, operator: Operator, days: int) -> HistoryRetention:
    """Keep the history of the operator's devices for so many days; 0 keeps none."""
    if not 0 <= days <= LIMIT_DAYS:
        raise Refused("HISTORY_DAYS_OUT_OF_RANGE", field="days", limit=LIMIT_DAYS)
    with ledger.unit_of_work():
        row, _ = locks.rows(HistoryRetention.objects).get_or_create(operator=operator)
        before = row.days
        row.days = days
        row.save(update_fields=["days"])
        ledger.record(
            action=Action.HISTORY_RETENTION,
            operator_id=operator.pk,
            target=operator.slug,
            before={"days": before},
            after={"days": days},
        )
    return row


def prune(*, now: datetime, chunks: int = CHUNKS) -> int:
    """Delete history that is older than its operator keeps it; returns how many values went.

    So many values are looked at in a run, and the next run goes on behind them: a table that no run can walk from end
    to end is walked all the same.
    """
    kept = dict(HistoryRetention.objects.values_list("operator_id", "days"))
    cursor, _ = TidyingCursor.objects.get_or_create(name=CURSOR)
    gone = 0
    for _ in range(chunks):
        rows = ResourceValue.objects.filter(pk__gt=cursor.last_id).order_by("pk")
        looked_at = list(rows.values_list("pk", "device__operator_id")[:CHUNK])
        by_operator: dict[int, list[int]] = defaultdict(list)
        for pk, operator_id in looked_at:
            by_operator[operator_id].append(pk)
        for operator_id, ids in by_operator.items():
            before = now - timedelta(days=kept.get(operator_id, DEFAULT_HISTORY_DAYS))
            gone += ResourceHistory.objects.filter(value_id__in=ids, at__lt=before).delete()[0]
        is_end = len(looked_at) < CHUNK
        cursor.last_id = 0 if is_end else looked_at[-1][0]
        cursor.save(update_fields=["last_id"])
        if is_end:
            break
    return gone

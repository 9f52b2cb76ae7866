"""How long an operator keeps the history of values, and clearing away what is older."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

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
from devices.telemetry.services import history_days

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
    """Delete history that is older than its operator keeps it; returns how many values were deleted one by one.

    Where history stands in partitions, those go whole that are older than anybody keeps (what the operator with the
    longest retention keeps may stay for a partition longer), and values are looked at only of operators who keep less.

    So many values are looked at in a run, and the next run goes on behind them: a table that no run can walk from end
    to end is walked all the same.
    """
    kept = dict(HistoryRetention.objects.values_list("operator_id", "days"))
    values, gone = ResourceValue.objects.order_by("pk"), 0
    if history_days.is_by_day(connection):
        history_days.ahead(connection, now=now)
        longest = history_days.longest()
        history_days.drop_old(connection, before=now - longest)
        gone += _without_day(before=now - longest, chunks=chunks)
        # Who keeps none keeps none of today either, where nobody keeps more.
        longest_kept = [pk for pk, days in kept.items() if days >= longest.days > 0]
        shorter = Operator.objects.exclude(pk__in=longest_kept)
        if longest.days == DEFAULT_HISTORY_DAYS:
            shorter = shorter.filter(pk__in=kept)
        values = values.filter(device__operator__in=shorter)
    return gone + _walk(values, kept, now=now, chunks=chunks)


def _without_day(*, before: datetime, chunks: int) -> int:
    gone = 0
    for _ in range(chunks):
        deleted = history_days.delete_without_day(connection, before=before, limit=CHUNK)
        gone += deleted
        if deleted < CHUNK:
            break
    return gone


def _walk(values: QuerySet[ResourceValue], kept: Mapping[int, int], *, now: datetime, chunks: int) -> int:
    cursor, _ = TidyingCursor.objects.get_or_create(name=CURSOR)
    gone = 0
    for _ in range(chunks):
        rows = values.filter(pk__gt=cursor.last_id)
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

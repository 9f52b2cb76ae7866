"""The history of values by day, on PostgreSQL: places for the days to come, and old days dropped whole.

Devices report values of long ago too, and of an hour ahead at most (`values.FUTURE_SECONDS`): what has no day of its
own stands in the default partition, where old rows are deleted one by one. While some operator keeps history for longer
than `BY_DAY`, new partitions are months: thousands of them would cost every statement more than they save.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models import Operator
from audit import partitions
from devices.telemetry.history_table import HISTORY, days_ahead
from devices.telemetry.models import DEFAULT_HISTORY_DAYS, HistoryRetention

BY_DAY = timedelta(days=100)


def longest() -> timedelta:
    """For how long the operator who keeps history longest keeps it."""
    kept = dict(HistoryRetention.objects.values_list("operator_id", "days"))
    said_nothing = Operator.objects.exclude(pk__in=kept).exists()
    days = [*kept.values(), *([DEFAULT_HISTORY_DAYS] if said_nothing or not kept else [])]
    return timedelta(days=max(days))


def is_by_day(connection: BaseDatabaseWrapper) -> bool:
    return bool(partitions.names(connection, HISTORY.table))


def ahead(connection: BaseDatabaseWrapper, *, now: datetime) -> list[str]:
    """Makes the partitions of yesterday to some days ahead where they are missing; returns their names."""
    if not is_by_day(connection):
        return []  # SQLite, or before the migration
    return partitions.add(connection, HISTORY, days_ahead(now, is_wide=longest() > BY_DAY))


def drop_old(connection: BaseDatabaseWrapper, *, before: datetime) -> list[str]:
    """Drops the partitions of which nobody keeps anything any more; returns their names."""
    return partitions.drop_before(connection, HISTORY, before)


def delete_without_day(connection: BaseDatabaseWrapper, *, before: datetime, limit: int) -> int:
    """Deletes so many older values that stand in no day's partition; returns how many."""
    table = HISTORY.default
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE ctid = ANY "  # noqa: S608 our own names
            f"(ARRAY(SELECT ctid FROM {table} WHERE at < %s LIMIT %s))",
            [before, limit],
        )
        return int(cursor.rowcount)

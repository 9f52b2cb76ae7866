"""The table of history in partitions by time, as the migration makes it on PostgreSQL and retention keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from audit import partitions
from audit.partitions import Partitioned, Piece

HISTORY = Partitioned(table="telemetry_resourcehistory", key=("value_id", "at"))
AHEAD_DAYS = 3


def days_ahead(now: datetime, *, is_wide: bool = False) -> Iterator[Piece]:
    """Those of yesterday to some days ahead; months where they are wide, days where a month already has some."""
    for number in range(-1, AHEAD_DAYS + 1):
        at = now + timedelta(days=number)
        if is_wide:
            yield partitions.month(HISTORY.table, at)
        yield partitions.day(HISTORY.table, at)

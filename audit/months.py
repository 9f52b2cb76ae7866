"""The ledger's partitions: events by month, on PostgreSQL, guarded as the whole table is."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.backends.base.base import BaseDatabaseWrapper

from audit import partitions, triggers
from audit.partitions import Partitioned, Piece

LEDGER = Partitioned(table=triggers.EVENT, key=("id", "at"), unique=(("chain", "sequence"),), identity="id")
AHEAD = 3
"""Months for which there is a place already, beside this one."""


def ahead(connection: BaseDatabaseWrapper, *, now: datetime) -> list[str]:
    """Makes the partitions of this month and the next ones where they are missing; returns their names."""
    if not partitions.names(connection, LEDGER.table):
        return []  # SQLite, or before the migration
    return partitions.add(connection, LEDGER, _wanted(now), guards=triggers.of_partition)


def _wanted(now: datetime) -> list[Piece]:
    wanted = [partitions.month(LEDGER.table, now)]
    for _ in range(AHEAD):
        wanted.append(partitions.month(LEDGER.table, wanted[-1].end + timedelta(hours=1)))
    return wanted

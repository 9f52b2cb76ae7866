"""Clearing away what is kept no longer, a bounded piece at a time; which rows those are is each room's to say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

LIMIT = 10_000
"""So many rows of a kind in one run: the next one goes on."""
CHUNK = 500
"""So many in one statement: short transactions."""


def before(now: datetime) -> datetime:
    """Records that were over by then are kept no longer."""
    return now - timedelta(days=settings.RECORDS_KEPT_DAYS)


def delete(rows: QuerySet[Any]) -> int:
    """The oldest of these rows, with what hangs on them; returns how many of these themselves went."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:LIMIT])
    for at in range(0, len(ids), CHUNK):
        rows.model._base_manager.filter(pk__in=ids[at : at + CHUNK]).delete()
    return len(ids)

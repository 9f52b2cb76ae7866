"""The statements of the history of values, on its two databases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from devices.telemetry.models import ResourceHistory

Span = tuple[int, float, float, float, int]
"""Its number, the last value in it, the least, the greatest, and how many there are."""

_SPANS = """
    SELECT floor(extract(epoch FROM at - %s) / %s)::bigint, (array_agg(number ORDER BY at DESC))[1],
           min(number), max(number), count(*)
    FROM telemetry_resourcehistory
    WHERE value_id = %s AND at >= %s AND at < %s AND number IS NOT NULL GROUP BY 1 ORDER BY 1
"""


def spans(value_id: int, since: datetime, until: datetime, seconds: float) -> Sequence[Span]:
    """The numbers from `since` to before `until`, in spans of `seconds` that have any, in order."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_SPANS, [since, seconds, value_id, since, until])
            found: Sequence[Span] = cursor.fetchall()
            return found
    return _one_by_one(value_id, since, until, seconds)


def _one_by_one(value_id: int, since: datetime, until: datetime, span: float) -> list[Span]:
    """SQLite keeps times as text and cannot group by them at a price worth it; one machine's data is little."""
    found: dict[int, tuple[float, float, float, int]] = {}
    rows = ResourceHistory.objects.filter(
        value_id=value_id, at__gte=since, at__lt=until, number__isnull=False
    ).order_by("at")
    for at, number in rows.values_list("at", "number").iterator():
        assert number is not None  # asked for
        key = math.floor((at - since).total_seconds() / span)
        _, low, high, count = found.get(key, (0.0, number, number, 0))
        found[key] = (number, min(low, number), max(high, number), count + 1)
    return [(key, *spanned) for key, spanned in sorted(found.items())]

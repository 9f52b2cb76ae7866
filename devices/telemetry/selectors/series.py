"""The course of one value over time, as a chart or a program wants it: bounded, whatever the number of values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from devices.inventory.models import Device
from devices.telemetry import history_rows
from devices.telemetry.models import ResourceHistory, ResourceValue
from devices.telemetry.selectors.values import value

POINTS = 500
POINTS_LIMIT = 5_000


@dataclass(frozen=True, slots=True)
class Point:
    """One value, or `count` values of a span that begins at `at`: the last of them, and their extremes."""

    at: datetime
    value: Any
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Series:
    """In the order of time. `span_seconds` is 0 where every value stands for itself."""

    path: str
    span_seconds: float
    points: tuple[Point, ...]


def history(device: Device, path: str) -> QuerySet[ResourceHistory]:
    """The values of exactly this path, whatever their time."""
    found = ResourceValue.objects.filter(device=device, path=path).values_list("pk", flat=True)
    return ResourceHistory.objects.filter(value_id=found.first() or 0)


def series(
    device: Device,
    path: str,
    *,
    since: datetime,
    until: datetime,
    max_points: int = POINTS,
) -> Series:
    """The course of a value; more than `max_points` numbers become spans, of other values the last are kept."""
    rows = history(device, path).filter(at__gte=since, at__lt=until)
    few = list(rows.order_by("-at")[: max_points + 1])
    if len(few) <= max_points or few[0].number is None:
        points = [_point(row) for row in reversed(few[:max_points])]
        return Series(path, 0.0, tuple(points))
    span = (until - since).total_seconds() / max_points
    return Series(path, span, tuple(_spans(few[0].value_id, since, until, span)))


def _point(row: ResourceHistory) -> Point:
    return Point(row.at, value(row.kind, row.number, row.text), row.number, row.number, 1)


def _spans(value_id: int, since: datetime, until: datetime, span: float) -> Iterator[Point]:
    for number, last, low, high, count in history_rows.spans(value_id, since, until, span):
        yield Point(since + timedelta(seconds=number * span), last, low, high, count)

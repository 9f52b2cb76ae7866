"""A small chart of one numeric resource over time, as numbers for an SVG: no script, no inline style.

The line stands in a box of WIDTH by HEIGHT that the page stretches; marks and words are placed in percent, so that
they keep their size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

WIDTH, HEIGHT = 1000, 200
_SAME, _TINY = 1e-12, 1e-300  # numbers closer than this are drawn as one
_LARGEST = 1e300  # a device may send anything; beyond this the arithmetic of a chart overflows
DOTS = 60
"""Up to so many values each gets a dot."""

SPANS = {
    "10m": (_("10 min"), timedelta(minutes=10)),
    "1h": (_("1 hour"), timedelta(hours=1)),
    "1d": (_("1 day"), timedelta(days=1)),
    "7d": (_("7 days"), timedelta(days=7)),
    "30d": (_("30 days"), timedelta(days=30)),
}
FIRST = "1d"


def fitting(oldest_age: timedelta) -> str:
    """The shortest span in which nothing of the day is lost."""
    return next((key for key, (_, span) in SPANS.items() if oldest_age <= span), FIRST)


Point = tuple[float, float]
"""(seconds since 1970, value)"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the chart (`place` percent from the top) or a time below it (percent from the left)."""

    place: str
    words: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Dot:
    """Percent from the left and from the top."""

    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`path` is the `d` of the line; `summary` says the same for those who do not see it."""

    path: str
    dots: tuple[Dot, ...]
    levels: tuple[Mark, ...]
    times: tuple[Mark, ...]
    low: str
    high: str
    count: int

    @property
    def summary(self) -> str:
        return gettext("%(count)s values between %(low)s and %(high)s.") % {
            "count": format(self.count, ","),
            "low": self.low,
            "high": self.high,
        }


def draw(points: Sequence[Point], *, count: int, start: float, end: float, is_step: bool) -> Chart | None:
    """None where there is nothing to draw: fewer than two values. `count` values are told by the points."""
    if len(points) < 2 or any(abs(value) > _LARGEST for _, value in points):
        return None
    low, high = min(value for _, value in points), max(value for _, value in points)
    levels = _levels(low, high)
    bottom, top = min(low, levels[0]), max(high, levels[-1])
    scale_x = WIDTH / max(1e-9, end - start)
    scale_y = HEIGHT / (top - bottom)
    places = [((at - start) * scale_x, HEIGHT - (value - bottom) * scale_y) for at, value in points]
    return Chart(
        path=_line(places, is_step=is_step),
        dots=tuple(Dot(f"{x / WIDTH * 100:.2f}", f"{y / HEIGHT * 100:.2f}") for x, y in places)
        if len(places) <= DOTS
        else (),
        levels=tuple(
            Mark(f"{100 - (one - bottom) / (top - bottom) * 100:.1f}", _number(one)) for one in levels
        ),
        times=tuple(_times(start, end)),
        low=_number(low),
        high=_number(high),
        count=count,
    )


def _line(places: list[tuple[float, float]], *, is_step: bool) -> str:
    parts = [f"M{places[0][0]:.1f} {places[0][1]:.1f}"]
    for x, y in places[1:]:
        parts.append(f"H{x:.1f}V{y:.1f}" if is_step else f"L{x:.1f} {y:.1f}")
    return "".join(parts)


def _levels(low: float, high: float) -> list[float]:
    """Three to six round numbers that hold the values between them."""
    if high - low <= _SAME * max(abs(low), abs(high), _TINY):
        low, high = low - (abs(low) * 0.05 or 1), high + (abs(high) * 0.05 or 1)
    rough = (high - low) / 3
    size = 10 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough)
    first = math.floor(low / step)
    last = math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def _times(start: float, end: float) -> Iterator[Mark]:
    pattern = "H:i" if end - start <= 86_400 else "j M, H:i" if end - start < 8 * 86_400 else "j M"
    for share, anchor in ((0, "start"), (50, "middle"), (100, "end")):
        at = timezone.localtime(datetime.fromtimestamp(start + (end - start) * share / 100, tz=UTC))
        yield Mark(str(share), formats.date_format(at, pattern), anchor)


def _number(value: float) -> str:
    return format(round(value, 10), ".6g")

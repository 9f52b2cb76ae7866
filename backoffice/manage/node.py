"""One node of the tree: what it is, its latest value, its course over time, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from backoffice.manage import asks, chart, shown
from backoffice.manage.asks import Ask
from backoffice.manage.chart import Chart
from backoffice.manage.facts import Facts
from backoffice.manage.shown import Shown
from devices.observations.models import Observation
from devices.telemetry.models import ResourceValue, ValueKind
from devices.telemetry.selectors import series
from devices.telemetry.selectors.series import Point, Series
from lwm2m.errors import Lwm2mError
from lwm2m.objects import ResourceModel, ValueType
from lwm2m.paths import Path

LISTED = 20
_DRAWN = (ValueKind.INTEGER, ValueKind.FLOAT, ValueKind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Node:
    """`parts` are resource instances; `course` is None where there is nothing to draw."""

    path: Path
    title: str
    about: str
    is_known: bool
    latest: Shown | None
    parts: tuple[tuple[str, Shown], ...]
    observation: Observation | None
    can_observe: bool
    has_course: bool
    course: Chart | None
    recent: tuple[Shown, ...]
    span: str

    @property
    def word(self) -> str:
        return ("object", "instance", "resource", gettext("resource instance"))[self.path.depth - 1]

    @property
    def parents(self) -> list[Path]:
        ids = self.path.ids
        return [Path(*ids[:depth]) for depth in range(1, len(ids))]


def parse(text: str) -> Path | None:
    """The path that somebody typed or clicked; None for what is none."""
    try:
        path = Path.parse(text.strip())
    except Lwm2mError:
        return None
    return path if path.depth else None


def of(facts: Facts, path: Path, *, span: str = "") -> Node:
    model = facts.catalogue.resource(path)
    held = facts.catalogue.objects.get(path.object_id or 0)
    rows = _rows(facts, path)
    latest = next((row for row in rows if row.path == str(path)), None)
    drawn = latest is not None and latest.kind in _DRAWN and not (model and model.type is ValueType.TIME)
    span, course = _course(facts, path, span) if drawn else (chart.FIRST, None)
    return Node(
        path=path,
        title=_title(path, facts),
        about=shown.type_words(model)
        if path.depth >= 3
        else gettext("version %(version)s") % {"version": held.version}
        if held
        else "",
        is_known=model is not None if path.depth >= 3 else held is not None,
        latest=shown.of_row(latest, model) if latest else None,
        parts=tuple((row.path, shown.of_row(row, model)) for row in rows if row is not latest)
        if path.depth == 3
        else (),
        observation=next((one for one in facts.observations if one.paths == [str(path)]), None),
        can_observe=path.depth < 3 or model is None or "R" in model.operations,
        has_course=drawn,
        course=course and _drawn(course, facts.now, span, is_step=latest.kind == ValueKind.BOOLEAN),
        recent=_recent(facts, path, model) if drawn else (),
        span=span,
    )


def forms(facts: Facts, node: Node, data: Mapping[str, Any] | None = None) -> dict[str, Ask]:
    return asks.offered(facts, node.path, data)


def _title(path: Path, facts: Facts) -> str:
    model = facts.catalogue.resource(path)
    if path.depth >= 3:
        name = model.name if model else gettext("Unknown resource")
        return (
            gettext("%(name)s, instance %(resource_instance_id)s")
            % {"name": name, "resource_instance_id": path.resource_instance_id}
            if path.depth == 4
            else name
        )
    held = facts.catalogue.objects.get(path.object_id or 0)
    name = held.name if held else gettext("Unknown object")
    return (
        gettext("%(name)s, instance %(instance_id)s") % {"name": name, "instance_id": path.instance_id}
        if path.depth == 2
        else name
    )


def _rows(facts: Facts, path: Path) -> list[ResourceValue]:
    """The values of a resource and its instances."""
    if path.depth < 3:
        return []
    here = facts.device.values.all()
    if path.depth == 4:
        return list(here.filter(path=str(path)))
    below = list(here.filter(path__startswith=f"{path}/").exclude(kind=ValueKind.EMPTY)[:LISTED])
    below.sort(key=lambda row: Path.parse(row.path))
    return [*here.filter(path=str(path)), *below]


def _course(facts: Facts, path: Path, wanted: str) -> tuple[str, Series]:
    """The span that is drawn and the values in it; unasked it is the shortest that holds all of a day."""
    span = wanted if wanted in chart.SPANS else chart.FIRST
    found = _series(facts, path, span)
    if wanted in chart.SPANS or not found.points:
        return span, found
    fitting = chart.fitting(facts.now - found.points[0].at)
    return (span, found) if fitting == span else (fitting, _series(facts, path, fitting))


def _series(facts: Facts, path: Path, span: str) -> Series:
    since = facts.now - chart.SPANS[span][1]
    return series.series(facts.device, str(path), since=since, until=facts.now + timedelta(seconds=1))


def _drawn(course: Series, now: datetime, span: str, *, is_step: bool) -> Chart | None:
    end = now.timestamp()
    return chart.draw(
        [(point.at.timestamp(), value) for point in course.points for value in _values(point)],
        count=sum(point.count for point in course.points),
        start=end - chart.SPANS[span][1].total_seconds(),
        end=end,
        is_step=is_step,
    )


def _values(point: Point) -> list[float]:
    """Both extremes of a span, so that no peak is lost; a value that is no number has no place in a chart."""
    if point.low is None or point.high is None:
        return []
    return [point.low] if point.low == point.high else [point.low, point.high]


def _recent(facts: Facts, path: Path, model: ResourceModel | None) -> tuple[Shown, ...]:
    rows = series.history(facts.device, str(path)).order_by("-at")[:LISTED]
    return tuple(shown.of_row(row, model) for row in rows)

"""The chart's numbers: round levels around the values, places within the box, and the span that fits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backoffice.manage import chart


def drawn(*values: float, is_step: bool = False) -> chart.Chart | None:
    points = [(float(second), value) for second, value in enumerate(values)]
    return chart.draw(points, count=len(points), start=0.0, end=10.0, is_step=is_step)


def test_less_than_two_values_are_no_course():
    assert drawn() is None
    assert drawn(5.0) is None


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ((68, 91), ["60", "70", "80", "90", "100"]),
        ((0.1, 0.25), ["0.1", "0.15", "0.2", "0.25"]),
        ((-3, 3), ["-4", "-2", "0", "2", "4"]),
    ],
)
def test_levels_are_round_and_hold_the_values(values: tuple[float, ...], levels: list[str]):
    assert [mark.words for mark in drawn(*values).levels] == levels


@pytest.mark.parametrize("same", [0.0, 82.0, -1e9, 1e-12, 1e300])
def test_a_value_that_never_changes_is_a_line_in_the_middle(same: float):
    found = drawn(same, same)
    assert found.low == found.high
    assert all(0 <= float(dot.y) <= 100 for dot in found.dots)


@pytest.mark.parametrize(
    "values", [(-1.7e308, 1.7e308), (0.0, 5e-324), (1.0, 1.0 + 2e-16), (1e300, -1e300), (1e9, 1e9 + 1e-7)]
)
def test_whatever_a_device_sends_is_no_error(values: tuple[float, ...]):
    found = drawn(*values)
    assert found is None or len(found.levels) < 9


def test_true_and_false_are_steps():
    assert "H" in drawn(0.0, 1.0, is_step=True).path
    assert "H" not in drawn(0.0, 1.0).path


@pytest.mark.parametrize(
    ("age", "span"), [(0, "10m"), (601, "1h"), (7200, "1d"), (86_400, "1d"), (86_401, "7d")]
)
def test_the_span_fits_what_there_is(age: int, span: str):
    assert chart.fitting(timedelta(seconds=age)) == span

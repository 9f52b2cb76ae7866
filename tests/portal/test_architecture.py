"""docs/architecture.md names functions that are there, and each call leads from a module to one that it stands on."""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PLACE = re.compile(r"`([a-z_0-9]+(?:\.[a-z_0-9]+)+)(?::([A-Za-z_.0-9]+))?`")
BY = {"call", "batch", "bell", "row", "air"}
HOPS = 4
"""So many imports lie at most between two steps of a journey: more, and a step of the table is missing."""


def section(title: str, level: int) -> str:
    marks = "#" * level
    return re.split(
        rf"^{'#' * (level - 1)}{{1,}} |^{marks} ", PAGE.split(f"\n{marks} {title}\n")[1], flags=re.M
    )[0]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


JOURNEYS = {
    title: rows(section(title, 3))
    for title in re.findall(r"^### (.+)$", PAGE.split("\n## Journeys\n")[1].split("\n## ")[0], flags=re.M)
}
LOOKED_FOR = rows(section("What a newcomer looks for", 2))


@cache
def graph() -> grimp.ImportGraph:
    contracts = (ROOT / "pyproject.toml").read_text().split("root_packages = [")[1].split("]")[0]
    sys.path.insert(0, str(ROOT))
    return grimp.build_graph(*re.findall(r'"(\w+)"', contracts), cache_dir=None)


def found(module: str, name: str | None) -> object:
    here: object = importlib.import_module(module)
    for part in (name or "").split(".") if name else ():
        here = getattr(here, part)
    return here


def test_every_journey_is_told():
    named = ("Register", "Update", "Report", "Command", "SMS", "Page")
    assert [title.split(":")[0] for title in JOURNEYS] == list(named)
    assert all(len(steps) >= 5 for steps in JOURNEYS.values())


@pytest.mark.parametrize("row", LOOKED_FOR, ids=[row[0] for row in LOOKED_FOR])
def test_what_a_newcomer_looks_for_is_there(row):
    places = PLACE.findall(row[1])
    assert places
    for module, name in places:
        assert found(module, name or None) is not None


@pytest.mark.parametrize("title", JOURNEYS)
def test_a_journey_can_be_followed(title):
    before = ""
    for step, place, by in JOURNEYS[title]:
        assert by in BY, step
        (module, name), *more = PLACE.findall(place)
        assert not more, step
        assert found(module, name) is not None, step
        if by == "call" and before != module:
            assert _leads(before, module), f"{step}: nothing leads from {before} to {module}"
        before = module


def _leads(one: str, other: str) -> bool:
    """Whether one module imports the other, or is called back by what imports both."""
    there = graph().find_shortest_chain(one, other)
    back = graph().find_shortest_chain(other, one)
    if any(chain and len(chain) <= HOPS + 1 for chain in (there, back)):
        return True
    return any(
        graph().find_shortest_chain(above, one) and graph().find_shortest_chain(above, other)
        for above in graph().find_modules_that_directly_import(one)
    )

"""`docs/conformance.md` is held to the tests: what it names exists, and no conformance test is missing in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
PAGE = (TESTS.parent / "docs" / "conformance.md").read_text()
NAME = re.compile(r"`((?:conformance|southbound|interop)/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| ((?:CONMGMT-)?1\.[12]-int-(\d+)) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
BY_WAY_OF = re.compile(r"\(by way of (\d+)\)")
CASES = ROW.findall(PAGE)
LEFT_OUT = "–"


def defined(folder: str) -> set[tuple[str, str]]:
    """Every test of a folder and of those in it, as file and function."""
    return {
        (str(file.relative_to(TESTS)), name)
        for file in (TESTS / folder).rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }


def test_every_test_that_the_table_names_exists() -> None:
    assert set(NAME.findall(PAGE)) <= defined("conformance") | defined("southbound") | defined("interop")


def test_every_conformance_test_is_in_the_table() -> None:
    cases = {each for each in defined("conformance") if each[0] != f"conformance/{Path(__file__).name}"}
    assert cases == {each for each in NAME.findall(PAGE) if each[0].startswith("conformance/")}


def test_the_table_has_the_cases() -> None:
    assert len({name for name, *_ in CASES}) >= 140


@pytest.mark.parametrize(("case", "number", "title", "named", "result"), CASES)
def test_a_case_is_shown_or_left_out_with_its_reason(
    case: str, number: str, title: str, named: str, result: str
) -> None:
    if named == LEFT_OUT:
        assert result.startswith("left out: ")
        return
    found = NAME.fullmatch(named)
    assert found
    other = BY_WAY_OF.search(title)
    shown = other[1] if other else number
    assert shown in re.findall(r"\d+", found[2].partition("int_")[2])
    assert result.startswith(("passes", "refused with "))

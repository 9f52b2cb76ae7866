"""docs/field.md names places and tests; each of them is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "field.md").read_text()
ROOMS = "accounts|audit|coap|devices|dtls|lwm2m|m2m_portal|provisioning|selfservice|smpp|southbound|support"
PLACES = sorted(set(re.findall(rf"`((?:{ROOMS})(?:\.\w+)+):(\w+(?:\.\w+)?)`", TEXT)))
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("module", "name"), PLACES, ids=[":".join(place) for place in PLACES])
def test_the_place_of_a_rule_is_there(module: str, name: str) -> None:
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)


@pytest.mark.parametrize(("file", "name"), TESTS, ids=["::".join(filter(None, test)) for test in TESTS])
def test_the_test_of_a_rule_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text()
    assert not name or f"def {name}(" in text


def test_each_kind_has_its_row() -> None:
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    assert [section.split(".")[0] for section in sections] == [str(number) for number in range(1, 11)]
    for section in sections:
        rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
        assert rows, section.splitlines()[0]
        assert all("`" in row for row in rows)

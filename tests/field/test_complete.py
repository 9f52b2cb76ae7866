"""No case is left out: each is named by a runner or falls to one by the way it comes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.field.cases import ALL

HERE = Path(__file__).parent


def test_every_case_has_its_runner():
    text = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    ways = {way for call in re.findall(r"@by_way\(([^)]*)\)", text) for way in re.findall(r'"([^"]+)"', call)}
    named = set(re.findall(r'"([a-z0-9-]+-\d+)"', text))
    left_out = [case.id for case in ALL if case.way not in ways and case.id not in named]
    assert not left_out
    assert len({case.id for case in ALL}) == len(ALL)

"""Short runs of the bench itself, on SQLite by our own generator. They take minutes: `make bench-check`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bench.work import COMMAND, NOTIFY, PLAIN
from tests.running_portal import ROOT


def answers_of(flags: list[str], only: list[str]) -> dict[str, Any]:
    """What a short run of the bench prints as JSON."""
    words = [word for pattern in only for word in ("--only", pattern)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.run", "--quick", "--sqlite-only", "--json", *flags, *words],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_short_run_measures_ours_beside_aiocoap() -> None:
    only = ["sqlite/*/1/update", "aiocoap/nosec/1/update"]
    found = answers_of(["--seconds", "0.5", "--own-generator"], only)
    rates = {(row["server"], row["secured"]): row for row in found["rates"]}
    assert set(rates) == {("aiocoap", False), ("SQLite", False), ("SQLite", True)}
    for row in rates.values():
        assert row["load"]["answered"] > 0
        assert row["load"]["refused"] + row["load"]["lost"] == 0
        assert row["cpu_us"] > 0


@pytest.mark.slow
def test_a_short_run_measures_management() -> None:
    found = answers_of(
        ["--seconds", "0.5", "--own-generator"],
        ["notify/*", "command/*", "storm/*", "pages/*/admin-list*", "pages/*/own"],
    )
    works = {(row["server"], row["kind"]): row for row in found["management"]}
    assert set(works) == {(s, k) for s in (PLAIN, "southbound") for k in (NOTIFY, COMMAND)}
    for row in works.values():
        assert row["count"] > 0
        assert row["stored"] >= row["count"]
    assert works["southbound", COMMAND]["count"] == 100
    (storm,) = found["storms"]
    assert min(storm["notifications"], storm["p99_alone"], storm["p99_flooded"]) > 0
    assert len(found["pages"]) == 5
    assert all(page["median"] > 0 for page in found["pages"])

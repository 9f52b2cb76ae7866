"""Which database is asked stands where statements are written, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
ROOMS = (
    *("accounts", "api", "audit", "backoffice", "devices", "live", "m2m_portal", "provisioning"),
    *("selfservice", "southbound", "support"),
)
ELSEWHERE = {
    "accounts/folding.py": "teaches SQLite a comparison that PostgreSQL has an index for",
    "audit/triggers.py": "installs triggers, in the language of each database",
    "audit/partitions.py": "makes and drops partitions, which SQLite has none of",
    "devices/inventory/sql.py": "how a membership test is written for both, for all rows modules",
    "m2m_portal/apps.py": "lifts PostgreSQL's time limit for migrations",
    "southbound/inbound/report.py": "how many writers there are: SQLite has one",
    "southbound/threads/group_commit.py": "gives connections back to the pool, and waits less for locks",
}


def test_only_rows_modules_ask_which_database_it_is():
    asking = {
        str(path.relative_to(HOUSE))
        for room in ROOMS
        for path in (HOUSE / room).rglob("*.py")
        if "migrations" not in path.parts
        and re.search(r"\bconnection\.vendor\b|\.vendor ==", path.read_text())
    }
    assert {path for path in asking if not path.endswith("rows.py")} - set(ELSEWHERE) == set()


def test_the_list_of_reasons_has_no_place_that_asks_no_more():
    for path in ELSEWHERE:
        assert ".vendor" in (HOUSE / path).read_text(), path

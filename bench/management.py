"""The part of the bench that is about management: which of its cases are wanted, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bench import pages, work
from bench.databases import Database
from bench.generator import Generator
from bench.pages import PAGES, Shown
from bench.work import COMMAND, NOTIFY, PLAIN, STORM, Managing, Storm, Work

PAGES_DEVICES, PAGES_QUICK, TIMES = 100_000, 200, 20


@dataclass
class Managed:
    """What was measured."""

    works: list[Work] = field(default_factory=list)
    storms: list[Storm] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "management": [one.as_json() for one in self.works],
            "storms": [
                {"database": s.database, "notifications": s.notifications}
                | {"p99_alone": s.alone.p99, "p99_flooded": s.flooded.p99}
                for s in self.storms
            ],
            "pages": [vars(one) for one in self.shown],
        }


def is_wanted(database: Database, wanted: Callable[[str], bool]) -> bool:
    name = database.name
    works = [work.key(server, name, kind) for kind in (NOTIFY, COMMAND) for server in ("", PLAIN)]
    storms = [work.key("", name, STORM)]
    return any(map(wanted, [*works, *storms, *(f"pages/{name.lower()}/{page}" for page in PAGES)]))


@dataclass(frozen=True)
class Playing:
    """One database with its environment."""

    database: Database
    env: dict[str, str]
    using: Generator
    wanted: Callable[[str], bool]
    redis: int | None

    def play(self, found: Managed, *, quick: bool, seconds: float, rounds: int, with_pages: bool) -> None:
        """Pages on the last database alone: PostgreSQL, where there is one."""
        sizes = work.QUICK if quick else work.FULL
        sizes = replace(sizes, seconds=seconds) if seconds else sizes
        managing = Managing(self.database, self.env, sizes, self.wanted, self.redis)
        found.works += _middle([one for _ in range(rounds) for one in managing.all()])
        found.storms += managing.storm(self.using)
        if with_pages:
            devices = PAGES_QUICK if quick else PAGES_DEVICES
            found.shown += pages.measure(
                self.database, self.env, devices=devices, times=TIMES, wanted=self.wanted
            )


def _middle(played: list[Work]) -> list[Work]:
    """Of each case the round in the middle by rate."""
    rounds: dict[str, list[Work]] = {}
    for one in played:
        rounds.setdefault(one.key, []).append(one)
    return [sorted(each, key=lambda one: one.rate)[(len(each) - 1) // 2] for each in rounds.values()]

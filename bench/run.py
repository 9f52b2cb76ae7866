"""`make bench`: Register/s and Update/s of southbound beside a plain aiocoap server, in one run, as ratios.

    python -m bench.run                     all of it, a few minutes
    python -m bench.run --quick             under a minute, to see that it works
    python -m bench.run --only 'postgresql/nosec/*' --only 'aiocoap/*'

Keys are server/security/processes/request, such as sqlite/dtls/1/update, and memory/security/devices; of management
notify/database/ours, command/database/plain and storm/database/ours; and pages/database/page, such as
pages/postgresql/admin-list.

PostgreSQL is the server of DATABASE_URL; without one, `.ci/with-services` starts one, where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from contextlib import AbstractContextManager
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from bench import cases, databases, generator, management, processes, tables, tables_of_management
from bench.cases import Bench, Memory, Rate, Sizes, say
from bench.databases import Database
from bench.management import Managed


def main() -> None:
    options = _options()
    if not databases.has_server() and not options.sqlite_only and databases.can_start_services():
        os.execv(
            str(databases.WITH_SERVICES),
            [str(databases.WITH_SERVICES), sys.executable, "-m", "bench.run", *sys.argv[1:]],
        )
    using = generator.choose(own=options.own_generator)
    sizes = cases.QUICK if options.quick else cases.FULL
    if options.seconds:
        sizes = Sizes(**{**vars(sizes), "seconds": options.seconds})
    bench = Bench(using, sizes, options.wanted, _redis_pid())
    rates: list[Rate] = []
    memories: list[Memory] = []
    versions: list[str] = []
    managed = Managed()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stores: list[AbstractContextManager[Database]] = [databases.sqlite(Path(folder))]
        if databases.has_server() and not options.sqlite_only:
            stores.append(databases.postgresql())
        for store in stores:
            with store as database:
                with_memory = store is stores[-1] and options.wants("memory")
                with_rates = with_memory or options.wants(database.name.lower())
                with_management = management.is_wanted(database, options.wanted)
                env = {}
                if with_rates or with_management:
                    env = _prepared(database, Path(folder), sizes, with_memory)
                    versions.append(databases.version(database))
                for _ in range(options.rounds):
                    for name in cases.PLAIN:
                        rates += bench.plain(name)
                    if with_rates:
                        rates += bench.southbound(database, env, (1,) if options.quick else (1, 2))
                if with_memory:
                    memories += bench.memory(database, env)
                if with_management:
                    playing = management.Playing(database, env, using, options.wanted, bench.redis)
                    playing.play(
                        managed,
                        quick=options.quick,
                        seconds=options.seconds,
                        rounds=options.rounds,
                        with_pages=store is stores[-1],
                    )
    _report(options, using.name, sizes, versions, _middle(rates), memories, managed)
    if any(not rate.load.answered for rate in rates) or any(not work.count for work in managed.works):
        raise SystemExit("A case got no answers at all.")


def _prepared(database: Database, folder: Path, sizes: Sizes, with_memory: bool) -> dict[str, str]:
    env = processes.environment(database, folder / database.name)
    say(f"{database.name}: filling in")
    plain = max((sizes.devices, *sizes.memory)) if with_memory else sizes.devices
    secured = max((sizes.devices, *sizes.memory_secured)) if with_memory else sizes.devices
    processes.prepare(env, plain=plain, secured=secured)
    return env


def _middle(rates: list[Rate]) -> list[Rate]:
    """Of each case the round in the middle by rate, with the span of all: the best one would flatter, and the plain
    servers, which are played beside each database, would have more tries at it."""
    rounds: dict[str, list[Rate]] = {}
    for rate in rates:
        rounds.setdefault(rate.key, []).append(rate)
    told = []
    for played in rounds.values():
        played.sort(key=lambda rate: rate.load.rate)
        span = (played[0].load.rate, played[-1].load.rate)
        told.append(replace(played[(len(played) - 1) // 2], played=len(played), span=span))
    return told


class _Options(argparse.Namespace):
    quick: bool
    only: list[str]
    json: bool
    seconds: float
    rounds: int
    own_generator: bool
    sqlite_only: bool

    def wanted(self, key: str) -> bool:
        return not self.only or any(fnmatch(key, pattern) for pattern in self.only)

    def wants(self, first: str) -> bool:
        """Whether a pattern may fit a key that begins so."""
        return not self.only or any(fnmatch(first, pattern.split("/")[0]) for pattern in self.only)


def _options() -> _Options:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one second a case, no second process, few devices"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="keys to measure; may repeat"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long a case lasts")
    parser.add_argument(
        "--rounds", type=int, default=1, help="play each case so often, and tell the middle one"
    )
    parser.add_argument(
        "--own-generator", action="store_true", help="use bench/load.py even if lwm2mload is there"
    )
    parser.add_argument("--sqlite-only", action="store_true", help="leave PostgreSQL out")
    return parser.parse_args(namespace=_Options())


def _redis_pid() -> int | None:
    url = os.environ.get("REDIS_URL", "")
    if not url:
        return None
    import redis

    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def _report(
    options: _Options,
    using: str,
    sizes: Sizes,
    versions: list[str],
    rates: list[Rate],
    memories: list[Memory],
    managed: Managed,
) -> None:
    base = _base(rates)
    machine = _machine()
    if options.json:
        whole = {
            "commit": databases.commit(),
            "machine": machine,
            "generator": using,
            "databases": versions,
            "sizes": vars(sizes),
            "compared_with": base,
            "rates": [rate.as_json() for rate in rates],
            "memory": [vars(m) | {"per_device": m.per_device} for m in memories],
            **managed.as_json(),
        }
        print(json.dumps(whole, indent=1))
        return
    print(f"\nCommit {databases.commit()}. {machine} {'. '.join(versions)}.")
    if rates:
        print(
            f"Generator {using}: {sizes.devices} devices, {sizes.window} requests outstanding, "
            f"{sizes.seconds:g} s a case, the middle one of several; ratios to {base or 'nothing'}, "
            "measured in the same run.\n"
        )
    parts = [
        tables.expectations(rates, memories, base),
        tables.rates(rates, base) if rates else "",
        tables.memory(memories) if memories else "",
        *tables_of_management.all_of(managed),
    ]
    print("\n\n".join(part for part in parts if part))


def _base(rates: list[Rate]) -> str:
    """The plain server that ratios are to: the one that aiocoap makes unless told otherwise, if it was measured."""
    measured = {rate.server for rate in rates}
    return next((name for name in cases.PLAIN if name in measured), "")


def _machine() -> str:
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores ({model or platform.machine()}) for everything, Python {platform.python_version()}."
    )


if __name__ == "__main__":
    main()

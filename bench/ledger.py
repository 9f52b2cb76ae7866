"""Deeds of one operator beside deeds of sixteen: what the ledger costs a deed, and whether deeds wait for each other.

    .ci/with-services python -m bench.ledger [--seconds N] [--turns N] [--commit-ms MS] [--against TREE]

Sixteen writers, in four processes, record one event a unit of work, all in the chain of one operator and then each in
one of its own, in turns. `--against` names another checkout, which is measured beside this one in the same run. Of this
checkout the sealer runs beside the writers; its backlog at the end, and how fast it works that off, is told.
`--commit-ms` lets every commit of a deed take that much longer, as a disk elsewhere or a synchronous replica does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from bench import databases
from bench.databases import ROOT, Database

PROCESSES, THREADS = 4, 4

_MIGRATE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
print("done")
"""
_WRITERS = """
import sys, threading, time, django
django.setup()
from django.db import connections
from audit import ledger
first, seconds, is_one = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "one"
done = []
def write(number):
    chain, count = 1 if is_one else first + number, 0
    barrier.wait()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with ledger.unit_of_work():
            ledger.record(action="device.renamed", operator_id=chain, target="urn:dev:bench", after={"name": "bench"})
        count += 1
    done.append(count)
    connections.close_all()
barrier = threading.Barrier(THREADS + 1)
threads = [threading.Thread(target=write, args=(number,)) for number in range(1, THREADS + 1)]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.readline()
barrier.wait()
for thread in threads:
    thread.join()
print(sum(done), flush=True)
"""
_SEALER = """
import sys, threading, time, django
django.setup()
from audit import sealing
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
print("ready", flush=True)
sealed = 0
while not stop.is_set():
    sealed += sealing.run()
    stop.wait(0.1)
begun, left = time.monotonic(), 0
while more := sealing.run():
    left += more
print(sealed, left, time.monotonic() - begun, flush=True)
"""
_STATEMENTS = """
import json, django
django.setup()
from django.db import connection
from django.test.utils import CaptureQueriesContext
from audit import ledger
def unit(events):
    with ledger.unit_of_work():
        for number in range(events):
            ledger.record(action="device.renamed", operator_id=1, target=str(number))
unit(1)
told = {}
for events in (1, 3):
    with CaptureQueriesContext(connection) as asked:
        unit(events)
    told[events] = len([one for one in asked if one["sql"] not in ("BEGIN", "COMMIT")])
print(json.dumps(told))
"""
_SLOW_COMMIT = """
CREATE FUNCTION bench_slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER bench_slow AFTER INSERT ON audit_ledgerevent DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION bench_slow();
"""


@dataclass(frozen=True)
class Tree:
    """A checkout, with a database of its own."""

    name: str
    path: Path
    database: Database
    data: Path
    has_sealer: bool

    def python(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=self.path,
            env={
                **os.environ,
                "DATABASE_URL": self.database.url,
                "DATA_DIR": str(self.data),
                "DJANGO_SETTINGS_MODULE": "m2m_portal.settings",
                "PYTHONPATH": str(self.path),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def main() -> None:
    options = _options()
    if not databases.has_server():
        sys.exit("PostgreSQL is needed: .ci/with-services python -m bench.ledger")
    with tempfile.TemporaryDirectory() as folder:
        paths = [ROOT, *([options.against.resolve()] if options.against else [])]
        with ExitStack() as stack:
            found = [stack.enter_context(databases.postgresql(f"_{number}")) for number in range(len(paths))]
            trees = [_made(path, database, Path(folder)) for path, database in zip(paths, found, strict=True)]
            for tree in trees:
                _prepare(tree, options.commit_ms)
            _measure(trees, options.seconds, options.turns)


def _measure(trees: list[Tree], seconds: float, turns: int) -> None:
    for tree in trees:
        print(f"{tree.name}: statements of a unit with 1 and with 3 events {_said(tree.python(_STATEMENTS))}")
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(turns):
        for tree in trees:
            for chains in ("one", "sixteen"):
                rates.setdefault((tree.name, chains), []).append(_turn(tree, chains, seconds))
    for tree in trees:
        one, sixteen = (rates[tree.name, chains] for chains in ("one", "sixteen"))
        ratio = median(a / b for a, b in zip(one, sixteen, strict=True))
        print(
            f"{tree.name}: units/s one operator {median(one):.0f} ({min(one):.0f}-{max(one):.0f}), "
            f"sixteen {median(sixteen):.0f} ({min(sixteen):.0f}-{max(sixteen):.0f}), one / sixteen {ratio:.2f}"
        )


def _turn(tree: Tree, chains: str, seconds: float) -> float:
    """Units a second of all writers together."""
    sealer = tree.python(_SEALER) if tree.has_sealer else None
    program = _WRITERS.replace("THREADS", str(THREADS))
    writers = [
        tree.python(program, str(100 * number), str(seconds), chains) for number in range(1, PROCESSES + 1)
    ]
    for process in [*writers, *([sealer] if sealer else [])]:
        _line(process)
    for process in writers:
        _go(process)
    units = sum(int(_line(process)) for process in writers)
    if sealer:
        _go(sealer)
        beside, left, took = _line(sealer).split()
        pace = f", {int(left) / float(took):.0f}/s" if int(left) else ""
        print(f"  {tree.name}, {chains}: sealed beside {beside}, after {left} in {float(took):.2f} s{pace}")
    for process in [*writers, *([sealer] if sealer else [])]:
        process.wait(30)
    return units / seconds


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        sys.exit(f"a process of the bench ended with {process.wait()}")
    return line.strip()


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def _said(process: subprocess.Popen[str]) -> dict[str, int]:
    said: dict[str, int] = json.loads(_line(process))
    process.wait(30)
    return said


def _made(path: Path, database: Database, folder: Path) -> Tree:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=path, capture_output=True, text=True, check=True
    )
    name = asked.stdout.strip()
    return Tree(name, path, database, folder / name, (path / "audit" / "sealing.py").exists())


def _prepare(tree: Tree, commit_ms: float) -> None:
    _line(tree.python(_MIGRATE))
    if commit_ms:
        with psycopg.connect(
            tree.database.url.replace("postgres://", "postgresql://", 1), autocommit=True
        ) as made:
            made.execute(_SLOW_COMMIT.format(seconds=commit_ms / 1000).encode())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    parser.add_argument("--turns", type=int, default=3, help="of which the middle one is told")
    parser.add_argument(
        "--commit-ms", type=float, default=0.0, help="so much longer takes each commit of a deed"
    )
    parser.add_argument(
        "--against", type=Path, metavar="TREE", help="another checkout to measure beside this one"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

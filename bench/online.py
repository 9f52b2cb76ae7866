"""What bringing one device online costs the database: statements, and commits that write.

    .ci/with-services python -m bench.online [DEVICES]

Runs the portal on PostgreSQL and Redis, adds devices and starts a simulated device for each, one after the other. The
server's own log of statements is counted; what the portal does anyhow (sweeps, heartbeats) is measured before and
taken off.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import databases
from bench.databases import ROOT, Database
from bench.processes import environment, free_port, started

IDLE_SECONDS = 30.0
PATIENCE_SECONDS = 90.0
_LINE = re.compile(r"\[(\d+)\] LOG:  (?:statement|execute [^:]*): (?:/\*.*?\*/\s*)?(\w+)")
_WRITES = {"INSERT", "UPDATE", "DELETE"}
_FRAMES = {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}

_ADD = """
import json
from accounts.models import Operator, Subscriber, User
from accounts.services import subscribers
from audit import ledger
from provisioning.services import onboarding, operators
with ledger.context(actor=ledger.Actor("system", "bench", "Bench")):
    operator = Operator.objects.filter(slug="bench").first() or operators.create(slug="bench", name="Bench")
    user = User.objects.filter(email="sam@bench.example").first()
    if user is None:
        user = User.objects.create_user("sam@bench.example", "x")
        subscribers.open_account(user=user, operator=operator)
    for endpoint in json.loads('''{endpoints}'''):
        subscriber = Subscriber.objects.get(user=user)
        added = onboarding.add_device(operator=operator, subscriber=subscriber, endpoint=endpoint)
        print(json.dumps([endpoint, added.identity, added.secret_to_show.parts.hex()]))
"""


@dataclass
class Counted:
    statements: int = 0
    commits: int = 0
    _writing: dict[str, bool] = field(default_factory=dict)

    def line(self, text: str) -> None:
        found = _LINE.search(text)
        if not found:
            return
        process, word = found[1], found[2].upper()
        if word == "BEGIN":
            self._writing[process] = False
        elif word in ("COMMIT", "ROLLBACK"):
            self.commits += word == "COMMIT" and self._writing.pop(process, False)
        elif word not in _FRAMES:
            self.statements += 1
            if word in _WRITES or word == "WITH":
                if process in self._writing:
                    self._writing[process] = True
                else:
                    self.commits += 1


class Log:
    """What the server has logged since somebody looked."""

    def __init__(self, path: Path) -> None:
        self._file = path.open(errors="replace")
        self._file.seek(0, os.SEEK_END)

    def counted(self) -> Counted:
        counted = Counted()
        for line in self._file:
            counted.line(line)
        return counted


def _until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited {PATIENCE_SECONDS:.0f} s in vain: {what}")
        time.sleep(0.2)


def _add(env: dict[str, str], endpoints: list[str]) -> list[list[str]]:
    code = _ADD.format(endpoints=json.dumps(endpoints))
    asked = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=ROOT,
        env=env,
        text=True,
        capture_output=True,
        check=False,
    )
    if asked.returncode:
        raise SystemExit(asked.stderr[-2000:])
    return [json.loads(line) for line in asked.stdout.splitlines() if line.startswith("[")]


def _online(connection: psycopg.Connection[tuple[object, ...]], endpoint: str) -> bool:
    table = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_name IN ('inventory_device', 'devices_device')"
    ).fetchone()
    assert table
    row = connection.execute(
        f"SELECT provisioning FROM {table[0]} WHERE endpoint = %s",
        [endpoint],  # a name of our own schema
    ).fetchone()
    return row == ("applied",)


def measure(database: Database, folder: Path, devices: int) -> None:
    env = environment(database, folder) | {
        "HTTP_PORT": str(free_port()), "SMSC_PORT": str(free_port()), "CELERY_QUEUE": f"online{os.getpid()}",
    }  # fmt: skip
    url = database.url.replace("postgres://", "postgresql://", 1)
    assert database.server_pid, "needs a server of this machine"
    log = Log(Path(f"/proc/{database.server_pid}/fd/2").resolve())
    with (
        started(["manage.py", "portal", "--migrate"], env),
        psycopg.connect(url, autocommit=True) as connection,
    ):
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SET log_statement = 'none'")  # our own looks are nobody's cost
        _until(lambda: _is_migrated(connection), "the tables are there")
        _add(env, [])
        time.sleep(3.0)
        log.counted()
        time.sleep(IDLE_SECONDS)
        idle = log.counted()
        names = [f"urn:dev:online-{number}" for number in range(devices)]
        added = _add(env, names)
        adding = log.counted()
        added_by = f"{adding.statements / devices:.0f} statements, {adding.commits / devices:.1f} commits"
        print(f"adding one device: {added_by}")
        statements = commits = 0.0
        for endpoint, identity, key in added:
            log.counted()
            began = time.monotonic()
            file = folder / "devices.json"
            server = f"coaps://127.0.0.1:{env['BOOTSTRAP_COAPS_PORT']}"
            file.write_text(
                json.dumps(
                    [{"bootstrap": server, "endpoint": endpoint, "identity": identity, "key_hex": key}]
                )
            )
            device = subprocess.Popen(
                [sys.executable, "manage.py", "simulate", "--devices", str(file), "--quiet"],
                cwd=ROOT,
                env=env,
            )
            try:
                _until(lambda name=endpoint: _online(connection, name), f"{endpoint} is online")
                time.sleep(2.0)
            finally:
                share = (time.monotonic() - began) / IDLE_SECONDS
                here = log.counted()
                device.terminate()
                device.wait()
            statements += here.statements - idle.statements * share
            commits += here.commits - idle.commits * share
            time.sleep(1.0)
        per_second = (
            f"{idle.statements / IDLE_SECONDS:.1f} statements, {idle.commits / IDLE_SECONDS:.1f} commits"
        )
        print(f"idle, per second: {per_second}")
        print(f"its way online: {statements / devices:.0f} statements, {commits / devices:.1f} commits")
        statements, commits = statements + adding.statements, commits + adding.commits
        print(f"together: {statements / devices:.0f} statements, {commits / devices:.1f} commits that write")


def _is_migrated(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    with suppress(psycopg.Error):
        return bool(
            connection.execute("SELECT count(*) FROM django_migrations WHERE app = 'provisioning'").fetchone()
        )
    return False


def main() -> None:
    devices = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if not databases.has_server():
        raise SystemExit("It needs PostgreSQL and Redis: .ci/with-services python -m bench.online")
    with databases.postgresql() as database, tempfile.TemporaryDirectory() as folder:
        print(f"commit {databases.commit()}, {databases.version(database)}")
        measure(database, Path(folder), devices)


if __name__ == "__main__":
    main()

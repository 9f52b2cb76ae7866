"""Management under load: notifications stored, commands completed, and Updates while notifications flood."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bench import generator, processes
from bench.accounting import Meter, Usage
from bench.cases import say
from bench.databases import ROOT, Database
from bench.generator import Generator, Load
from bench.processes import Serving

NOTIFY, COMMAND, STORM = "notify", "command", "storm"
PLAIN = "aiocoap + row"
OBSERVED, ASKED = "watched-", "asked-"
LIMIT_SECONDS = 120.0
SETTLE_SECONDS = 20.0


@dataclass(frozen=True)
class WorkSizes:
    seconds: float
    devices: int
    commands: int
    """For each device; a plain server gets a quarter of them, and still takes longer."""
    window: int


FULL = WorkSizes(6.0, 1000, 5, 256)
QUICK = WorkSizes(1.0, 50, 2, 64)


@dataclass(frozen=True)
class Work:
    """`stored` are the rows that were found afterwards, which must not be fewer than were acknowledged."""

    server: str
    database: str
    kind: str
    count: int
    stored: int
    seconds: float
    usage: Usage
    generator_cpu: float
    p99: float = 0.0

    @property
    def key(self) -> str:
        return key(self.server, self.database, self.kind)

    @property
    def rate(self) -> float:
        return self.count / self.seconds if self.seconds else 0.0

    @property
    def cpu(self) -> float:
        """Microseconds per message or command, of everything that serves it."""
        return (self.usage.server + self.usage.database + self.usage.redis) * 1e6 / max(1, self.count)

    @property
    def generator_cores(self) -> float:
        return self.generator_cpu / self.seconds if self.seconds else 0.0

    @property
    def others_cores(self) -> float:
        used = self.usage
        rest = used.machine - used.server - used.database - used.redis - self.generator_cpu
        return max(0.0, rest / used.wall) if used.wall else 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"rate": round(self.rate, 1), "cpu_us": round(self.cpu, 1)}


@dataclass(frozen=True)
class Storm:
    """Updates alone, and while notifications flood."""

    database: str
    alone: Load
    flooded: Load
    notifications: float


def key(server: str, database: str, kind: str) -> str:
    who = "plain" if server == PLAIN else "ours"
    return f"{kind}/{database.lower()}/{who}"


class Managing:
    """Plays the cases of one database; `wanted` says which by their keys."""

    def __init__(
        self,
        database: Database,
        env: dict[str, str],
        sizes: WorkSizes,
        wanted: Callable[[str], bool],
        redis: int | None,
    ) -> None:
        self._database, self._env, self._sizes = database, env, sizes
        self._wanted, self._redis = wanted, redis

    def wants(self, kind: str) -> bool:
        return any(self._wanted(key(server, self._database.name, kind)) for server in ("", PLAIN))

    def all(self) -> Iterator[Work]:
        for kind, ours, plain in (
            (NOTIFY, self._notify, self._plain_notify), (COMMAND, self._command, self._plain_command)
        ):  # fmt: skip
            for server, play in ((PLAIN, plain), ("southbound", ours)):
                if self._wanted(key(server, self._database.name, kind)):
                    work = play(self._sizes.devices)
                    say(
                        f"{work.key:<32} {work.rate:>8,.0f}/s  {work.cpu:7.0f} µs CPU  "
                        f"{work.stored - work.count:+d} rows  generator {work.generator_cores:.2f} cores"
                    )
                    yield work

    def storm(self, using: Generator) -> Iterator[Storm]:
        """Updates of as many other devices."""
        if not self._wanted(key("", self._database.name, STORM)):
            return
        with self._rows() as rows, processes.southbound(self._env) as serving:
            self._ask(rows, f"devices {self._sizes.devices} {OBSERVED}")
            self._ask(rows, f"observe {self._sizes.devices} {OBSERVED}")
            alone = self._updates(using, serving)
            with self._fleet(serving, "notify", seconds=LIMIT_SECONDS) as fleet:
                self._observed(fleet)
                before, began = int(self._ask(rows, "history")), time.monotonic()
                self._tell(fleet, "go")
                flooded = self._updates(using, serving)
                rate = (int(self._ask(rows, "history")) - before) / (time.monotonic() - began)
                fleet.kill()
        say(
            f"storm: Update p99 {alone.p99:.1f} ms alone, {flooded.p99:.1f} ms in {rate:,.0f} notifications/s"
        )
        yield Storm(self._database.name, alone, flooded, rate)

    def _updates(self, using: Generator, serving: Serving) -> Load:
        return generator.run(
            using, self._meter(serving), port=serving.coap, phase="update", devices=self._sizes.devices,
            window=self._sizes.window, seconds=self._sizes.seconds,
        )  # fmt: skip

    # -- notifications ---------------------------------------------------------------------------------------
    def _notify(self, devices: int) -> Work:
        with self._rows() as rows:
            self._ask(rows, f"devices {devices} {OBSERVED}")
            self._ask(rows, f"observe {devices} {OBSERVED}")
            with processes.southbound(self._env) as serving:
                line, used, before = self._notified(serving, lambda: self._settled_history(rows))
            stored = int(self._ask(rows, "history")) - before
        return self._work("southbound", NOTIFY, line, stored, used)

    def _settled_history(self, rows: subprocess.Popen[str]) -> int:
        """Once the answers to Observe are stored, so that their values do not stand for lost notifications."""
        ends = time.monotonic() + SETTLE_SECONDS
        while int(self._ask(rows, "waiting")) and time.monotonic() < ends:
            time.sleep(0.05)
        return int(self._ask(rows, "history"))

    def _plain_notify(self, devices: int) -> Work:
        with self._plain("notify") as (serving, process):
            line, used, _ = self._notified(serving, int)
            process.terminate()
            stored = int(_line(process))
        return self._work(PLAIN, NOTIFY, line, stored, used)

    def _notified(self, serving: Serving, count: Callable[[], int]) -> tuple[dict[str, Any], Usage, int]:
        """The generator's line, what was used, and the rows there were before."""
        with self._fleet(serving, "notify") as fleet:
            self._observed(fleet)
            meter, rows = self._meter(serving), count()
            before = meter.read()
            self._tell(fleet, "go")
            line = json.loads(_line(fleet))
            return line, meter.read() - before, rows

    def _work(self, server: str, kind: str, line: dict[str, Any], stored: int, used: Usage) -> Work:
        return Work(
            server, self._database.name, kind, line["ok"], stored, line["seconds"], used,
            line["cpu_s"]["self"], line["lat_us"]["p99"] / 1000,
        )  # fmt: skip

    # -- commands --------------------------------------------------------------------------------------------
    def _command(self, devices: int) -> Work:
        """The commands wait while no southbound runs; the devices' next Update sets them off."""
        count = devices * self._sizes.commands
        with self._rows() as rows:
            self._ask(rows, f"devices {devices} {ASKED}")
            with processes.southbound(self._env) as serving:
                fleet = self._start_fleet(serving, "answer", ASKED)
                self._registered(fleet)
            before = int(self._ask(rows, "ended"))
            asked = float(self._ask(rows, f"commands {devices} {ASKED} {self._sizes.commands}"))
            say(f"asked for {count:,} commands in {asked:.1f} s")
            with processes.southbound(self._env) as serving:
                meter = self._meter(serving)
                start = meter.read()
                self._tell(fleet, "update")
                ends = time.monotonic() + LIMIT_SECONDS
                while int(self._ask(rows, "waiting")) and time.monotonic() < ends:
                    time.sleep(0.05)
                used = meter.read() - start
                fleet_cpu = self._end(fleet)
            done = int(self._ask(rows, "ended")) - before
        return Work("southbound", self._database.name, COMMAND, done, done, used.wall, used, fleet_cpu)

    def _plain_command(self, devices: int) -> Work:
        each = max(2, self._sizes.commands // 4)
        with self._plain("ask", str(devices), str(each)) as (serving, process):
            fleet = self._start_fleet(serving, "answer", ASKED)
            self._registered(fleet)
            _line(process)
            meter = self._meter(serving)
            start = meter.read()
            seconds = float(_line(process))
            used = meter.read() - start
            fleet_cpu = self._end(fleet)
        count = devices * each
        return Work(PLAIN, self._database.name, COMMAND, count, count, seconds, used, fleet_cpu)

    # -- processes -------------------------------------------------------------------------------------------
    def _meter(self, serving: Serving) -> Meter:
        return Meter(
            serving.pids, self._database.server_pid, self._redis if self._database.server_pid else None
        )

    @contextmanager
    def _rows(self) -> Iterator[subprocess.Popen[str]]:
        with processes.started(["-m", "bench.managed"], self._env) as process:
            yield process

    def _ask(self, rows: subprocess.Popen[str], what: str) -> str:
        self._tell(rows, what)
        return _line(rows)

    def _tell(self, process: subprocess.Popen[str], what: str) -> None:
        assert process.stdin
        process.stdin.write(f"{what}\n")
        process.stdin.flush()

    @contextmanager
    def _plain(self, *arguments: str) -> Iterator[tuple[Serving, subprocess.Popen[str]]]:
        port = processes.free_port()
        with processes.started(["-m", "bench.plain_store", str(port), *arguments], self._env) as process:
            yield Serving([process.pid], port), process

    @contextmanager
    def _fleet(self, serving: Serving, mode: str, *, seconds: float = 0.0) -> Iterator[subprocess.Popen[str]]:
        process = self._start_fleet(serving, mode, OBSERVED, seconds)
        try:
            self._registered(process)
            yield process
        finally:
            process.kill()
            process.communicate()

    def _start_fleet(
        self, serving: Serving, mode: str, prefix: str, seconds: float = 0.0
    ) -> subprocess.Popen[str]:
        flags = ["--port", str(serving.coap), "--devices", str(self._sizes.devices)]
        flags += ["--ep-prefix", prefix, "--seconds", str(seconds or self._sizes.seconds)]
        return subprocess.Popen(
            [sys.executable, "-m", "bench.fleet", *flags, mode],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def _registered(self, fleet: subprocess.Popen[str]) -> None:
        _expect_all(json.loads(_line(fleet)))

    def _observed(self, fleet: subprocess.Popen[str]) -> None:
        _expect_all(json.loads(_line(fleet)))

    def _end(self, fleet: subprocess.Popen[str]) -> float:
        """Its CPU over its whole life."""
        said, _ = fleet.communicate(timeout=30)
        return float(json.loads(said.splitlines()[-1])["cpu_s"]["self"])


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args} ended with {process.wait()}")
    return line


def _expect_all(line: dict[str, Any]) -> None:
    if line["ok"] < line["usable"]:
        say(f"warning: {line['phase']} reached {line['ok']} of {line['usable']} devices")

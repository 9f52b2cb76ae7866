"""What processes used of CPU and memory, read from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
Pids = Callable[[], Sequence[int]]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def parent_of(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes."""
    return sum((int(f[11]) + int(f[12])) / _TICKS for f in map(_stat, pids) if f)


def family_seconds(pid: int) -> float:
    """Of a server, the children it has, and those it had: PostgreSQL with its backends."""
    fields = _stat(pid)
    if not fields:
        return 0.0
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return cpu_seconds([pid, *children]) + (int(fields[13]) + int(fields[14])) / _TICKS


def machine_seconds() -> float:
    """What all processors did since the start, interrupts included, waiting not."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True)
class Usage:
    """CPU seconds of a span of `wall` seconds; `machine` is everybody's, the measured ones included."""

    wall: float
    server: float
    database: float
    redis: float
    machine: float

    def __sub__(self, earlier: Usage) -> Usage:
        return Usage(
            self.wall - earlier.wall,
            self.server - earlier.server,
            self.database - earlier.database,
            self.redis - earlier.redis,
            self.machine - earlier.machine,
        )


@dataclass(frozen=True)
class Meter:
    """Reads the clocks of the processes under measurement."""

    servers: Sequence[int]
    database: int | None = None
    redis: int | None = None

    def read(self) -> Usage:
        return Usage(
            time.monotonic(),
            cpu_seconds(self.servers),
            family_seconds(self.database) if self.database else 0.0,
            cpu_seconds([self.redis]) if self.redis else 0.0,
            machine_seconds(),
        )

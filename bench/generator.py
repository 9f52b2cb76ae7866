"""Runs the load generator: lwm2mload where its source is beside the repository and a C compiler is here, else ours."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.accounting import Meter, Usage
from bench.databases import ROOT
from bench.processes import PSK_KEY

SOURCE = ROOT.parent / "shared" / "bench" / "lwm2mload.c"
BUILT = ROOT / "bench" / "build" / "lwm2mload"
LIMIT_SECONDS = 1_200
_SPARE_DESCRIPTORS = 200


@dataclass(frozen=True)
class Generator:
    name: str
    command: Sequence[str]


OURS = Generator("bench/load.py", [sys.executable, "-m", "bench.load"])


@dataclass(frozen=True)
class Load:
    """One phase as the generator and the clocks of the servers saw it. Times in milliseconds, CPU in seconds."""

    rate: float
    answered: int
    p50: float
    p99: float
    refused: int
    repeated: int
    lost: int
    usage: Usage
    own_cpu: float

    @property
    def others_cores(self) -> float:
        """Processors that were kept busy by what is neither measured nor the generator."""
        used = self.usage
        rest = used.machine - used.server - used.database - used.redis - self.own_cpu
        return max(0.0, rest / used.wall) if used.wall else 0.0


def choose(*, own: bool = False) -> Generator:
    """The generator to use; builds it when its source is newer than what was built."""
    ours = OURS
    if own or not SOURCE.exists() or shutil.which("gcc") is None:
        return ours
    if not BUILT.exists() or BUILT.stat().st_mtime < SOURCE.stat().st_mtime:
        BUILT.parent.mkdir(parents=True, exist_ok=True)
        compiler = ["gcc", "-O2", "-DWITH_DTLS", "-o", str(BUILT), str(SOURCE), "-lssl", "-lcrypto"]
        built = subprocess.run(compiler, capture_output=True, text=True, check=False)
        if built.returncode:
            print(
                f"lwm2mload cannot be built, so our own generator is used:\n{built.stderr}", file=sys.stderr
            )
            return ours
    return Generator("lwm2mload", [str(BUILT)])


def most_devices() -> int:
    """So many at once: each is a socket with a source port of its own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(50_000, hard - _SPARE_DESCRIPTORS)


def run(
    generator: Generator,
    meter: Meter,
    *,
    port: int,
    phase: str,
    devices: int,
    window: int,
    seconds: float,
    secured: bool = False,
    first: int = 1,
    source_port: int = 0,
    source_address: str = "",
    at_end: Callable[[], None] | None = None,
) -> Load:
    """Play one phase; its set-up (handshakes, first Registers) is not counted. Only ours knows `source_address`.

    `at_end` is called while all devices are still there, with their DTLS sessions; then they vanish without a word.
    """
    flags = {
        "port": port,
        "phase": phase,
        "devices": devices,
        "window": window,
        "seconds": seconds,
        "first": first,
        "setup-window": min(64, window),
        "setup-limit": LIMIT_SECONDS / 2,
        "ep-prefix": "sec-" if secured else "dev-",
    }
    if source_port:
        flags["source-port"] = source_port
    if source_address:
        flags["source-address"] = source_address
    if at_end:
        flags["hold"] = LIMIT_SECONDS
    command = [*generator.command, "--json", *(word for k, v in flags.items() for word in (f"--{k}", str(v)))]
    if secured:
        command += ["--psk", PSK_KEY]
    before = meter.read()
    line: dict[str, Any] = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for text in process.stdout:
            line = json.loads(text)
            if line["phase"].startswith("setup"):
                _check_setup(line)
                before = meter.read()
            elif at_end:
                at_end()
                process.kill()
        used = meter.read() - before
    if not line or (process.returncode and not at_end):
        raise SystemExit(f"{generator.name} ended with {process.returncode}")
    return Load(
        rate=line["rps"],
        answered=line["ok"],
        p50=line["lat_us"]["p50"] / 1000,
        p99=line["lat_us"]["p99"] / 1000,
        refused=line["non2xx"],
        repeated=line["retrans"],
        lost=line["lost"] + line["hs_fail"],
        usage=used,
        own_cpu=line["cpu_s"]["self"],
    )


def _check_setup(line: dict[str, Any]) -> None:
    if line["ok"] < line["usable"]:
        print(f"warning: {line['phase']} reached {line['ok']} of {line['usable']} devices", file=sys.stderr)

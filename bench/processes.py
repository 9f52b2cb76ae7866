"""The servers under measurement, each a process of its own on free loopback ports, ended by its id."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.databases import ROOT, Database

PSK_KEY = "000102030405060708090a0b0c0d0e0f"
PORTS = ("COAP_PORT", "COAPS_PORT", "BOOTSTRAP_COAP_PORT", "BOOTSTRAP_COAPS_PORT")
STOP_SECONDS = 30


@dataclass(frozen=True)
class Serving:
    """Running servers on common ports."""

    pids: Sequence[int]
    coap: int
    coaps: int = 0


def free_port() -> int:
    """A free port below the range that the system hands out by itself: the generator's devices live there."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def environment(database: Database, folder: Path) -> dict[str, str]:
    """PostgreSQL goes with Redis if there is one, as in production; SQLite stands alone, as embedded."""
    inherited = dict(os.environ)
    if database.name == "SQLite":
        inherited.pop("REDIS_URL", None)
    return inherited | {
        "DATABASE_URL": database.url,
        "DATA_DIR": str(folder / "data"),
        "BIND_ADDRESS": "127.0.0.1",
        "PORTAL_MODE": "embedded",
        "LOG_LEVEL": "warning",
        "PYTHONUNBUFFERED": "1",
        "NOSEC_RATE": "0",  # all devices come from one address
        "NOSEC_NETWORK_RATE": "0",
        "REDIS_PREFIX": f"bench{os.getpid()}",
        **{name: str(free_port()) for name in PORTS},
        "COAP_FILES_PORT": "0",
    }


def prepare(env: dict[str, str], *, plain: int, secured: int) -> None:
    """Migrate, then add devices `dev-000001`… without and `sec-000001`… with a key, identities `psk-000001`…"""
    for arguments in (
        ["manage.py", "migrate", "--verbosity", "0", "--no-input"],
        ["-m", "bench.seed", str(plain), str(secured), PSK_KEY],
    ):
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, check=True, stdout=sys.stderr)


@contextmanager
def southbound(env: dict[str, str], *, processes: int = 1) -> Iterator[Serving]:
    started: list[subprocess.Popen[str]] = []
    try:
        for number in range(processes):
            flags = ["--shared", "--number", str(number)] if processes > 1 else []
            started.append(_start(["manage.py", "southbound", *flags], env))
        yield Serving([process.pid for process in started], int(env["COAP_PORT"]), int(env["COAPS_PORT"]))
    finally:
        _stop(started)


@contextmanager
def plain_site(transports: str) -> Iterator[Serving]:
    """The server to compare with; `transports` as aiocoap names them, "default" for its own choice."""
    port = free_port()
    process = _start(["-m", "bench.plain_site", str(port), transports], dict(os.environ))
    try:
        yield Serving([process.pid], port)
    finally:
        _stop([process])


@contextmanager
def started(arguments: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Any other process of ours, which is talked to in lines."""
    process = _start(arguments, env)
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        _stop([process])


def _start(arguments: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
    """Returns once the process said its first line, which a server does when it listens."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=env, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
        assert process.stdout is not None
        if not process.stdout.readline():
            process.wait()
            errors.seek(0)
            raise SystemExit(f"{' '.join(arguments)} did not start:\n{errors.read()[-4000:]}")
    return process


def _stop(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

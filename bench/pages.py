"""How long the lists of a portal with 100,000 devices take to their first byte, over HTTP from `manage.py web`."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import processes
from bench.cases import say
from bench.databases import ROOT, Database

GOAL_MS = 300.0
PAGES = {
    "admin-list": ("Admin: device list", "staff", "/admin/inventory/device/"),
    "admin-list-last": ("Admin: device list, last page", "staff", "/admin/inventory/device/?p={last}"),
    "admin-list-search": ("Admin: device list, search", "staff", "/admin/inventory/device/?q=meter+{some}"),
    "admin-list-session": ("Admin: device list, asleep", "staff", "/admin/inventory/device/?session=asleep"),
    "board": ("Admin: live board", "staff", "/admin/inventory/device/board/"),
    "rest": ("REST: device list", "staff", "/api/v1/devices/"),
    "rest-last": ("REST: device list, last page", "staff", "/api/v1/devices/?page={last}"),
    "own": ("Subscriber: own devices", "owner", "/devices/"),
}
START_SECONDS = 60.0


@dataclass(frozen=True)
class Shown:
    """Milliseconds to the first byte of one page, asked for one after the other after a first that is left out."""

    page: str
    database: str
    devices: int
    median: float
    worst: float
    first: float
    asked: int


def measure(
    database: Database, env: dict[str, str], *, devices: int, times: int, wanted: Callable[[str], bool]
) -> Iterator[Shown]:
    keys = [key for key in PAGES if wanted(f"pages/{database.name.lower()}/{key}")]
    if not keys:
        return
    say(f"{database.name}: {devices:,} devices for the pages")
    cookies = json.loads(_run(["-m", "bench.estate", str(devices)], env))
    with _web(env) as port:
        for key in keys:
            title, who, path = PAGES[key]
            address = path.format(last=max(1, devices // 50 - 1), some=devices // 2)
            taken = [_first_byte(port, address, cookies[who]) for _ in range(times + 1)]
            rest = sorted(taken[1:])
            shown = Shown(title, database.name, devices, statistics.median(rest), rest[-1], taken[0], times)
            say(
                f"pages/{key:<20} median {shown.median:6.0f} ms  worst {shown.worst:6.0f}  first {taken[0]:6.0f}"
            )
            yield shown


def _first_byte(port: int, path: str, cookie: str) -> float:
    """Milliseconds; a page that is not 200 is no measurement."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        began = time.monotonic()
        connection.request("GET", path, headers={"Cookie": cookie, "Host": f"localhost:{port}"})
        answer = connection.getresponse()
        answer.read(1)
        taken = (time.monotonic() - began) * 1000
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path} answered {answer.status}")
        return taken
    finally:
        connection.close()


@contextmanager
def _web(env: dict[str, str]) -> Iterator[int]:
    port = processes.free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "web"],
        cwd=ROOT, env={**env, "HTTP_PORT": str(port)}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit("manage.py web did not start.")


def _run(arguments: list[str], env: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr[-4000:]}")
    return done.stdout.splitlines()[-1]

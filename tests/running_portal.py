"""Starts the real portal as a process of its own, on free ports and with a data directory of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.flows.stores import own_store

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")
PATIENCE = 60.0  # the end of waiting for a process, on however busy a machine


def free_port(*, datagram: bool) -> int:
    """A free port below the range that the system hands out by itself, so that nobody takes it meanwhile."""
    kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def until(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """The first true value of `condition`; AssertionError that names `what` when `seconds` pass without one."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


@dataclass
class RunningPortal:
    """A portal that can be stopped, killed and started again on the same data and ports."""

    data_dir: Path
    extra: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(
        default_factory=lambda: {
            "HTTP_PORT": free_port(datagram=False),
            "SMSC_PORT": free_port(datagram=False),
            **{
                name: free_port(datagram=True)
                for name in (
                    "COAP_PORT",
                    "COAPS_PORT",
                    "BOOTSTRAP_COAP_PORT",
                    "BOOTSTRAP_COAPS_PORT",
                    "COAP_FILES_PORT",
                )
            },
        }
    )
    process: subprocess.Popen[str] | None = None
    output: list[str] = field(default_factory=list)
    _listener: threading.Thread = field(default_factory=threading.Thread)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['HTTP_PORT']}"

    @property
    def environment(self) -> dict[str, str]:
        dropped = {"DJANGO_SETTINGS_MODULE", "PYTEST_CURRENT_TEST"}
        inherited = {key: value for key, value in os.environ.items() if key not in dropped}
        ports = {name: str(port) for name, port in self.ports.items()}
        apart = f"test{self.ports['HTTP_PORT']}"  # on a Redis that others use too
        own = {"DATA_DIR": str(self.data_dir), "REDIS_PREFIX": apart, "CELERY_QUEUE": apart}
        return {**inherited, "PYTHONUNBUFFERED": "1", **own, **ports, **self.extra}

    def manage(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
            **options,  # type: ignore[call-overload]
        )

    def start(self, *flags: str, seconds: float = 120) -> None:
        self.output = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "portal", "--migrate", *flags],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._listener = threading.Thread(target=self._listen, args=(self.process,), daemon=True)
        self._listener.start()
        try:
            until(self._is_up, seconds=seconds, what="the portal answers")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{''.join(self.output[-60:])}") from None

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout as lines:
            for line in lines:
                self.output.append(line)

    def _is_up(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            raise AssertionError(f"the portal ended with {self.process.returncode}")
        try:
            with urllib.request.urlopen(f"{self.url}/health/", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self) -> None:
        """Ctrl-C, and it ends by itself."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=PATIENCE)
        self._listener.join(timeout=PATIENCE)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=PATIENCE)
            self._listener.join(timeout=PATIENCE)

    def text(self) -> str:
        return "".join(self.output)


@contextmanager
def running_portal(data_dir: Path, *flags: str, **extra: str) -> Iterator[RunningPortal]:
    with own_store(data_dir) as store:
        portal = RunningPortal(data_dir, extra={"DATABASE_URL": store.url, **extra})
        try:
            portal.start(*flags)
            yield portal
        finally:
            portal.kill()

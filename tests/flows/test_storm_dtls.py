"""Two southbound processes on the same ports are restarted one after the other while DTLS devices go on.

A clean restart costs no device a new handshake; after kill -9 those of the dead process shake hands anew, and nothing
acknowledged is lost. `STORM_DTLS_DEVICES=1000 python -m pytest tests/flows/test_storm_dtls.py` for the long form.
"""

from __future__ import annotations

import math
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.load_device import HANDSHAKE, REGISTER, UPDATE, Device
from tests.flows.stores import Store, own_store
from tests.running_portal import ROOT, RunningPortal

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("portal")]

DEVICES = int(os.environ.get("STORM_DTLS_DEVICES", "60"))
KEY = "000102030405060708090a0b0c0d0e0f"
UNAVAILABLE = 0xA3
PATIENT, IMPATIENT = 60.0, 5.0
"""So long without an answer from processes that are up, and a device shakes hands anew."""
LIMIT_SECONDS = 240.0


def _device(port: int, number: int) -> Device:
    """Every second one offers a connection id, so that the server's records carry none and its own do."""
    return Device(
        port,
        f"sec-{number:06d}",
        ports=iter(()),
        identity=f"psk-{number:06d}".encode(),
        key=bytes.fromhex(KEY),
        cid=b"" if number % 2 else None,
    )


class Fleet:
    """Devices that send Update after Update; counts who had to shake hands again."""

    def __init__(self, port: int) -> None:
        self.devices = {f"sec-{n:06d}": _device(port, n) for n in range(1, DEVICES + 1)}
        self.updates = dict.fromkeys(self.devices, 0)
        self.seen_at = dict.fromkeys(self.devices, 0.0)
        self.handshakes = {"with CID": 0, "without CID": 0}
        self._doing: dict[str, str] = {}
        self._poll = selectors.DefaultSelector()
        for name, device in self.devices.items():
            self._poll.register(device.descriptor, selectors.EVENT_READ, name)

    def _begin(self, name: str, what: str) -> None:
        self._doing[name] = what
        if what == HANDSHAKE:
            self.handshakes["with CID" if int(name[-6:]) % 2 else "without CID"] += 1
        self.devices[name].begin(what, time.monotonic())

    def go_on(self, until: Callable[[], bool], *, patience: float) -> None:
        """Update after Update, repeated when no answer comes; after `patience` seconds of silence a handshake."""
        begun_at = time.monotonic()
        deadline = begun_at + LIMIT_SECONDS
        for name in self.devices:
            if name not in self._doing:
                self._begin(name, HANDSHAKE)
        while not until():
            now = time.monotonic()
            assert now < deadline, f"{self._doing} after {LIMIT_SECONDS:.0f} s"
            for key, _ in self._poll.select(0.05):
                code = self.devices[key.data].read(time.monotonic())
                if code is not None:
                    self._answered(key.data, code)
            for name, device in self.devices.items():
                if now - max(begun_at, device.begun_at) < patience:
                    device.repeat(now)
                elif self._doing[name] == UPDATE:
                    self._begin(name, HANDSHAKE)
                else:
                    self._begin(name, self._doing[name])

    def _answered(self, name: str, code: int) -> None:
        doing, device = self._doing[name], self.devices[name]
        if code == UNAVAILABLE:  # not stored, says a process that is stopping: asked again
            self._begin(name, doing)
            return
        expected = {HANDSHAKE: 0, REGISTER: 0x41, UPDATE: 0x44}[doing]
        assert code == expected, f"{name}: {doing} got {code >> 5}.{code & 31:02d}"
        if doing != HANDSHAKE:
            self.updates[name] += doing == UPDATE
            self.seen_at[name] = time.time() - (time.monotonic() - device.begun_at)
        self._begin(name, UPDATE if device.location else REGISTER)

    def everybody_updates(self) -> Callable[[], bool]:
        """A condition: each device has two more Updates acknowledged than now."""
        before = dict(self.updates)
        return lambda: all(self.updates[name] >= before[name] + 2 for name in self.updates)

    def close(self) -> None:
        self._poll.close()
        for device in self.devices.values():
            device.close()


class Processes:
    """`manage.py southbound --shared` twice."""

    def __init__(self, portal: RunningPortal) -> None:
        self._portal = portal
        self._running: dict[int, subprocess.Popen[str]] = {}

    def start(self, number: int) -> None:
        """Returns when it listens."""
        with (self._portal.data_dir / "southbound.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "southbound", "--shared", "--number", str(number)],
                cwd=ROOT,
                env=self._portal.environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._running[number] = process
        assert process.stdout
        assert process.stdout.readline(), (self._portal.data_dir / "southbound.log").read_text()

    def end(self, number: int, how: signal.Signals) -> None:
        process = self._running.pop(number)
        process.send_signal(how)
        process.wait(timeout=60)
        assert process.stdout
        process.stdout.close()
        assert process.returncode == (0 if how == signal.SIGTERM else -how)

    def restart(self, number: int, how: signal.Signals) -> threading.Thread:
        def run() -> None:
            self.end(number, how)
            self.start(number)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def close(self) -> None:
        for number in list(self._running):
            self.end(number, signal.SIGKILL)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with own_store(tmp_path) as made:
        yield made


@pytest.fixture
def portal(tmp_path: Path, store: Store) -> RunningPortal:
    prepared = RunningPortal(tmp_path, extra={"DATABASE_URL": store.url})
    migrated = prepared.manage("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    seed = [sys.executable, "-m", "bench.seed", "0", str(DEVICES), KEY]
    subprocess.run(seed, cwd=ROOT, env=prepared.environment, check=True, timeout=600)
    return prepared


@pytest.fixture
def processes(portal: RunningPortal) -> Iterator[Processes]:
    both = Processes(portal)
    try:
        both.start(0)
        both.start(1)
        yield both
    finally:
        both.close()


@pytest.fixture
def fleet(portal: RunningPortal) -> Iterator[Fleet]:
    devices = Fleet(portal.ports["COAPS_PORT"])
    yield devices
    devices.close()


def test_devices_go_on_while_their_processes_are_restarted(
    processes: Processes, fleet: Fleet, store: Store, portal: RunningPortal
) -> None:
    fleet.go_on(fleet.everybody_updates(), patience=PATIENT)
    once = {"with CID": (DEVICES + 1) // 2, "without CID": DEVICES // 2}
    assert fleet.handshakes == once
    locations = {name: device.location for name, device in fleet.devices.items()}

    def restart(number: int, how: signal.Signals, patience: float) -> None:
        restarting = processes.restart(number, how)
        fleet.go_on(lambda: not restarting.is_alive(), patience=math.inf)
        fleet.go_on(fleet.everybody_updates(), patience=patience)

    for number in (0, 1):  # clean: no new handshake
        restart(number, signal.SIGTERM, PATIENT)
    assert fleet.handshakes == once, (portal.data_dir / "southbound.log").read_text()
    for number in (0, 1):  # crash: new handshakes for its devices
        restart(number, signal.SIGKILL, IMPATIENT)
    assert sum(fleet.handshakes.values()) > DEVICES

    # Nothing was lost: nobody had to register again, and what was acknowledged is there.
    assert {name: device.location for name, device in fleet.devices.items()} == locations
    rows = store.rows()
    for name, device in fleet.devices.items():
        assert rows[name].is_live
        assert rows[name].registration_id.encode() in device.location
        assert rows[name].last_seen >= fleet.seen_at[name]
    assert "Traceback" not in (portal.data_dir / "southbound.log").read_text()

"""kill -9 in the middle of a storm: whatever was acknowledged is in the database afterwards.

A few kills by default; `STORM_KILLS=20 python -m pytest tests/flows/test_storm.py` for the long form. On SQLite, or
on the PostgreSQL server of DATABASE_URL, in a database of its own. `STORM_SEED` repeats a run's choices.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.stores import Store, own_store
from tests.flows.storm import DEREGISTER, LIFETIME, REGISTER, UPDATE, Device, Storm
from tests.running_portal import ROOT, RunningPortal, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("portal")]

KILLS = int(os.environ.get("STORM_KILLS", "3"))
SEED = int(os.environ.get("STORM_SEED", "20"))
DEVICES = 128


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with own_store(tmp_path) as made:
        yield made


class RunningSouthbound(RunningPortal):
    """`manage.py southbound` alone, as in production."""

    def start(self, *flags: str, seconds: float = 120) -> None:
        with (self.data_dir / "southbound.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "southbound", *flags],
                cwd=ROOT,
                env=self.environment,
                text=True,
                stdout=log,
                stderr=log,
            )
        until(self._is_up, seconds=seconds, what="southbound answers a ping")

    def _is_up(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.text()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            probe.connect(("127.0.0.1", self.ports["COAP_PORT"]))
            try:
                probe.send(b"\x40\x00\x12\x34")
                return probe.recv(16) == b"\x70\x00\x12\x34"
            except OSError:  # nobody listens yet
                return False

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=60)

    def text(self) -> str:
        return (self.data_dir / "southbound.log").read_text()


@pytest.fixture
def portal(request: pytest.FixtureRequest, tmp_path: Path, store: Store) -> Iterator[RunningPortal]:
    """Of the class that the test names; not started yet: ports, data and 128 devices."""
    no_bound = {"NOSEC_RATE": "0", "NOSEC_NETWORK_RATE": "0"}  # all devices come from one address
    prepared: RunningPortal = request.param(tmp_path, extra={"DATABASE_URL": store.url, **no_bound})
    migrated = prepared.manage("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    seed = [sys.executable, "-m", "bench.seed", str(DEVICES), "0", "00" * 16]
    subprocess.run(seed, cwd=ROOT, env=prepared.environment, check=True, timeout=600)
    yield prepared
    prepared.kill()


@pytest.fixture
def storm(portal: RunningPortal) -> Iterator[Storm]:
    devices = [Device(f"dev-{n:06d}", random.Random(SEED * 1000 + n)) for n in range(1, DEVICES + 1)]
    raging = Storm(devices, portal.ports["COAP_PORT"])
    yield raging
    raging.close()


def kill_in_the_storm(portal: RunningPortal, storm: Storm, chance: random.Random) -> None:
    """SIGKILL after a random number of acknowledgements and a random moment more, while requests go on."""
    process = portal.process
    assert process
    killers: list[threading.Timer] = []
    enough, moment = chance.randrange(100, 2_000), chance.uniform(0, 0.03)

    def is_dead(count: int) -> bool:
        if count >= enough and not killers:
            killers.append(threading.Timer(moment, process.kill))
            killers[0].start()
        assert killers or process.poll() is None, "southbound ended by itself"
        return process.poll() is not None

    storm.rage(is_dead)
    killers[0].join()
    storm.drain()


def contradictions(storm: Storm, store: Store) -> list[str]:
    rows = store.rows()
    found = [(device, device.contradicts(rows.get(device.endpoint))) for device in storm.devices]
    return [f"{device.endpoint}: {problem} (open: {device.open})" for device, problem in found if problem]


@pytest.mark.parametrize("portal", [RunningSouthbound], indirect=True)
def test_what_was_acknowledged_survives_kill_9_of_southbound(
    portal: RunningPortal, store: Store, storm: Storm
) -> None:
    chance = random.Random(SEED)
    for number in range(KILLS):
        portal.start()
        kill_in_the_storm(portal, storm, chance)
        assert not contradictions(storm, store), f"kill {number}, seed {SEED}"
        for device in storm.devices:
            device.forget_open()
    # Up again, it knows them all: an Update of an acknowledged registration is never a 4.04 (`Device.hear` asserts).
    portal.start()
    storm.rage(lambda count: count >= 3 * DEVICES)
    assert min(storm.acknowledged[kind] for kind in (REGISTER, UPDATE, LIFETIME, DEREGISTER)) > 0
    assert "Traceback" not in portal.text()


@pytest.mark.parametrize("portal", [RunningPortal], indirect=True)
def test_what_was_acknowledged_survives_kill_9_of_the_portal(
    portal: RunningPortal, store: Store, storm: Storm
) -> None:
    portal.start()
    kill_in_the_storm(portal, storm, random.Random(SEED))
    assert not contradictions(storm, store)
    for device in storm.devices:
        device.forget_open()
    portal.start()
    assert not contradictions(storm, store)
    storm.rage(lambda count: count >= DEVICES)
    portal.stop()
    storm.drain()
    assert not contradictions(storm, store)

"""How long until all devices behind one gateway are listed: `python -m bench.gateway [--children 10000] [--json]`.

A virtual gateway registers with `manage.py southbound`, is asked for object 25, and answers in blocks over loopback
UDP. The clock runs from its Register to the commit that has the last of them, and again for an Update that adds one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import databases, processes
from bench.cases import say
from bench.databases import Database
from simulator.device import Device
from simulator.gateway_children import Child, numbered
from simulator.nameplate import Firmware, Nameplate

ENDPOINT = "dev-000001"
PATIENCE = 600.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Listed:
    """Seconds on the wall: until all are listed, and until one more is."""

    database: str
    children: int
    first: float
    again: float

    @property
    def rate(self) -> float:
        return self.children / self.first


def measure(database: Database, env: dict[str, str], children: int) -> Listed:
    processes.prepare(env, plain=1, secured=0)
    with processes.southbound(env) as serving:
        first, again = asyncio.run(_play(f"coap://127.0.0.1:{serving.coap}", children))
    return Listed(database.name, children, first, again)


async def _play(uri: str, children: int) -> tuple[float, float]:
    plate = Nameplate(endpoint=ENDPOINT, bootstrap_uri=None, server_uri=uri, identity=b"", key=b"")
    gateway = Device(plate, Firmware(), children=list(numbered(ENDPOINT, children)))
    began = time.monotonic()
    gateway.start()
    try:
        await _until(lambda: _standing() >= children)
        first = time.monotonic() - began
        began = time.monotonic()
        assert gateway.gateway is not None
        gateway.gateway.add(Child(f"{ENDPOINT}:late"))
        await _until(lambda: _standing() >= children + 1)
        return first, time.monotonic() - began
    finally:
        await gateway.stop()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(LOOK_SECONDS)


def _standing() -> int:
    from devices.gateways.models import EndDevice

    return EndDevice.objects.filter(gone_at=None).count()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store: AbstractContextManager[Database] = (
            databases.postgresql() if databases.has_server() else databases.sqlite(Path(folder))
        )
        with store as database:
            env = processes.environment(database, Path(folder) / database.name)
            os.environ.update(env | {"DJANGO_SETTINGS_MODULE": "m2m_portal.settings"})
            import django

            django.setup()
            say(f"{database.name}: a gateway with {options.children:,} end devices")
            found = measure(database, env, options.children)
    if options.json:
        print(json.dumps(asdict(found) | {"rate": round(found.rate, 1)}))
        return
    print(
        f"{found.children:,} end devices listed after {found.first:.1f} s ({found.rate:,.0f}/s), {found.database};"
    )
    print(f"one more of them, by an Update and a second reading, after {found.again:.1f} s.")


if __name__ == "__main__":
    main()

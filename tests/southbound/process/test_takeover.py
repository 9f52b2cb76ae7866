"""Two southbound processes on one port, one of them a real process that is killed: no command is lost with it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from django.db import connection

from devices.commands.models import Command, CommandState
from devices.inventory.models import Device, Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.operations.services import operations
from devices.registry.models import Registration
from simulator.device import Device as Client
from simulator.faults import Faults
from southbound.process.ports import PortSettings
from tests.fakes.devices import running_device
from tests.running_portal import ROOT, free_port
from tests.southbound.client import until
from tests.southbound.conftest import running
from tests.southbound.management import ended, order

pytestmark = pytest.mark.django_db(transaction=True)
KEY = bytes(range(16))
TRIES = 60


@pytest.fixture
def ports(transactional_db, settings, tmp_path) -> PortSettings:
    settings.DATA_DIR = tmp_path
    return PortSettings("127.0.0.1", *(free_port(datagram=True) for _ in range(4)))


def _environment(ports: PortSettings) -> dict[str, str]:
    facts = connection.settings_dict
    url = f"sqlite:///{facts['NAME']}"
    if connection.vendor == "postgresql":
        url = (
            f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
        )
    numbers = (ports.coap, ports.coaps, ports.bootstrap_coap, ports.bootstrap_coaps)
    names = ("COAP_PORT", "COAPS_PORT", "BOOTSTRAP_COAP_PORT", "BOOTSTRAP_COAPS_PORT")
    own = {"DATABASE_URL": url, "SWEEP_SECONDS": "1", "BIND_ADDRESS": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    own["COAP_FILES_PORT"] = "0"
    return {**os.environ, **own, **dict(zip(names, map(str, numbers), strict=True))}


@asynccontextmanager
async def other_process(ports: PortSettings) -> AsyncIterator[asyncio.subprocess.Process]:
    """`manage.py southbound` on the same ports and the same database; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "southbound", "--shared", "--number", "1"),
        cwd=ROOT,
        env=_environment(ports),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert process.stdout
        said = b""
        while b"serves devices" not in said:
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            assert line, said.decode()
            said += line
        yield process
    finally:
        await _kill(process)


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.communicate()


@asynccontextmanager
async def both(ports: PortSettings):
    async with (
        running(ports=ports, number=0, shared=True, sweep_seconds=0.3) as own,
        other_process(ports) as other,
    ):
        yield own, other


async def heard_by(client: Client, device: Device, own: str, *, other: bool) -> str:
    """Move to other source ports until the system hands the device's datagrams to this process, or the other one."""
    for _ in range(TRIES):
        flow = (await until(lambda: Registration.objects.get(device=device))).flow
        if (flow != own) is other:
            return flow
        client.rebind()
        await client.update()
    raise AssertionError("The system hands all devices to one process.")


async def state_is(command: Command, state: CommandState) -> None:
    await until(lambda: Command.objects.filter(pk=command.pk, state=state).exists(), 20)


def ask(device: Device) -> Command:
    return operations.request(device=device, operation="read", path="/3/0/9", requested_by="test")


def test_a_command_leaves_through_the_process_that_has_the_devices_flow(ports, make_device):
    first, second = make_device("dev-1"), make_device("dev-2")

    async def main():
        server = f"coap://127.0.0.1:{ports.coap}"
        async with (
            both(ports) as (own, _),
            running_device("dev-1", server=server) as here,
            running_device("dev-2", server=server) as there,
        ):
            for client, device, other in ((here, first, False), (there, second, True)):
                await client.until(lambda client=client: client.is_registered)
                flow = await heard_by(client, device, own.flow, other=other)
                command = await order(device, "read", "/3/0/9")
                assert (command.state, command.attempts, command.claimed_by) == ("done", 1, flow)

    asyncio.run(main())


def test_what_a_killed_process_had_is_taken_over_by_the_one_that_lives(ports, make_device):
    busy, idle = make_device("dev-1"), make_device("dev-2")

    async def main():
        server = f"coap://127.0.0.1:{ports.coap}"
        async with (
            both(ports) as (own, other),
            running_device("dev-1", server=server, faults=Faults(slow_seconds=1.5)) as slow,
            running_device("dev-2", server=server) as quick,
        ):
            for client, device in ((slow, busy), (quick, idle)):
                await client.until(lambda client=client: client.is_registered)
                await heard_by(client, device, own.flow, other=True)
            updates = slow.counts["updated"] + quick.counts["updated"]
            in_flight = await until(lambda: ask(busy))
            await state_is(in_flight, CommandState.SENT)
            await _kill(other)
            waiting = await until(lambda: ask(idle))
            for command in (in_flight, waiting):
                found = await ended(command)
                assert (found.state, found.claimed_by) == ("done", own.flow), found.detail
            assert slow.counts["updated"] + quick.counts["updated"] == updates
            assert (await until(lambda: Command.objects.get(pk=in_flight.pk))).attempts == 2

    asyncio.run(main())


def test_a_device_with_dtls_is_reached_after_its_next_handshake(ports, make_device):
    device = make_device("dev-1", security="psk")
    credentials.store(
        device=device, plane=Plane.MANAGEMENT, kind="psk", material=Material("psk-1", KEY), origin="test"
    )

    async def main():
        secured = {"server": f"coaps://127.0.0.1:{ports.coaps}", "identity": "psk-1", "key": KEY}
        async with both(ports) as (own, other), running_device("dev-1", **secured) as client:
            await client.until(lambda: client.is_registered)
            for _ in range(TRIES):
                flow = (await until(lambda: Registration.objects.get(device=device))).flow
                if flow != own.flow:
                    break
                registered = client.counts["registered"]
                client.reboot()
                await client.until(lambda registered=registered: client.counts["registered"] > registered)
            else:
                raise AssertionError("The system hands all devices to one process.")
            await _kill(other)
            command = await until(lambda: ask(device))
            registered = client.counts["registered"]
            client.reboot()
            await client.until(lambda: client.counts["registered"] > registered, 30)
            found = await ended(command)
            assert (found.state, found.claimed_by) == ("done", own.flow)

    asyncio.run(main())

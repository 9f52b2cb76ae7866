"""After a restart a device with a DTLS session is reached at once, though it says nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from devices.commands.models import Command
from devices.commands.services import mailbox
from devices.inventory.models import Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.registry.models import Registration
from tests.fakes.devices import running_device
from tests.southbound.client import until
from tests.southbound.conftest import ANY_PORTS, running
from tests.southbound.listeners.test_dtls import KEY, uri

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def secured(transactional_db, make_device, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    device = make_device("dtls-1", security="psk")
    credentials.store(
        device=device, plane=Plane.MANAGEMENT, kind="psk", material=Material("psk-1", KEY), origin="test"
    )
    return device


def read(device) -> Command:
    return mailbox.enqueue(device=device, operation="read", path="/3/0/0", requested_by="test")


async def done(command: Command) -> None:
    await until(lambda: Command.objects.get(pk=command.pk).state == "done")


@asynccontextmanager
async def registered(southbound, **manners):
    """A device that keeps quiet from then on, over the restart of its server."""
    where = running_device("dtls-1", server=uri(southbound), identity="psk-1", key=KEY, **manners)
    async with where as client:
        await client.until(lambda: client.is_registered)
        yield client


async def restarted(device, first: dict, second: dict, **manners) -> None:
    async with running(**first) as before:
        port = before.ports.port_of(Plane.MANAGEMENT, secured=True)
        scope = registered(before, **manners)
        await scope.__aenter__()
        flow = before.flow
    seen = await until(lambda: Registration.objects.get().last_seen_at)
    waiting = await until(lambda: read(device))  # ordered while nobody ran
    async with running(ports=replace(ANY_PORTS, coaps=port), **second) as after:
        await done(waiting)
        assert (await until(lambda: Registration.objects.get())).flow == after.flow != flow
        await done(await until(lambda: read(device)))
        assert after.ports._secured[Plane.MANAGEMENT].server.statistics.handshakes == 0
        assert (
            await until(lambda: Registration.objects.get())
        ).last_seen_at == seen  # it said nothing by itself
        await scope.__aexit__(None, None, None)


@pytest.mark.parametrize("cid", [None, b""])
def test_a_quiet_device_is_read_right_after_the_restart(secured, cid):
    asyncio.run(restarted(secured, {}, {}, cid=cid))


def test_a_process_with_another_number_finds_the_sessions(secured):
    asyncio.run(restarted(secured, {"number": 7}, {"number": 3}))


@pytest.mark.parametrize("is_live", [True, False])
def test_sessions_that_are_nobodys_are_said_to_be_lost(secured, tmp_path, caplog, is_live):
    async def start() -> None:
        async with running():
            pass

    async def scene() -> None:
        async with running() as southbound, registered(southbound):
            await until(lambda: Registration.objects.exists())
        await until(lambda: Registration.objects.update(is_live=is_live, flow="southbound.0.gone"))
        for file in tmp_path.rglob("*.sealed"):
            file.unlink()  # as after a crash
        await start()

    asyncio.run(scene())
    assert ("dtls_sessions_lost devices=1" in caplog.text) is is_live


def test_a_device_that_shook_hands_and_says_nothing_is_reached(play, secured):
    async def scene(southbound):
        async with registered(southbound):
            await until(lambda: Registration.objects.update(flow="southbound.9.gone"))
            command = await until(lambda: read(secured))
            southbound.takeover.known(southbound.ports.sessions(Plane.MANAGEMENT)[0])
            await done(command)
            assert (await until(lambda: Registration.objects.get())).flow == southbound.flow

    play(scene)


def test_the_registration_shows_where_a_device_moved_to_with_an_answer(play, secured):
    async def scene(southbound):
        async with registered(southbound, cid=b"") as client:
            before = await until(lambda: Registration.objects.get())
            client.rebind()
            await client.send(["/3/0/0"], even_if_muted=True)
            await until(lambda: Registration.objects.exclude(port=before.port).exists())

    play(scene)

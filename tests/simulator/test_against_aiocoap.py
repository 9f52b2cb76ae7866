"""The device's own CoAP layer against an independent one: a server made of aiocoap's context."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiocoap
from aiocoap import resource
from aiocoap.numbers.codes import CHANGED, CREATED, GET, POST, PUT

from simulator.device import Device
from simulator.faults import NONE, Faults
from tests.fakes.devices import running_device
from tests.fakes.waiting import eventually


class Registry(resource.Resource):
    """``POST /rd`` and, with `is_update`, ``POST /rd/7``."""

    def __init__(self) -> None:
        super().__init__()
        self.is_update = False
        self.callers: list[object] = []
        self.sizes: list[int] = []

    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        self.callers.append(request.remote)
        self.sizes.append(len(request.payload))
        if not self.is_update:
            answer = aiocoap.Message(code=CREATED)
            answer.opt.location_path = ("rd", "7")
            return answer
        return aiocoap.Message(code=CHANGED)


async def serving(site: resource.Site) -> tuple[aiocoap.Context, int]:
    """aiocoap takes a port of the same number on UDP and TCP; another one when either is taken."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        try:
            return await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port)), port
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


@asynccontextmanager
async def managed(
    faults: Faults = NONE, **behaviour: object
) -> AsyncIterator[tuple[aiocoap.Context, Registry, Device]]:
    registry, updates, site = Registry(), Registry(), resource.Site()
    updates.is_update, updates.callers, updates.sizes = True, registry.callers, registry.sizes
    site.add_resource(["rd"], registry)
    site.add_resource(["rd", "7"], updates)
    context, port = await serving(site)
    try:
        uri = f"coap://127.0.0.1:{port}"
        async with running_device("dev-1", server=uri, faults=faults, **behaviour) as device:
            await device.until(lambda: device.is_registered)
            yield context, registry, device
    finally:
        await context.shutdown()


async def ask(context: aiocoap.Context, registry: Registry, **what: object) -> aiocoap.Message:
    message = aiocoap.Message(**what)  # type: ignore[arg-type]
    message.remote = registry.callers[-1]
    return await context.request(message).response


async def test_reads_writes_and_executes() -> None:
    async with managed() as (context, registry, device):
        read = await ask(context, registry, code=GET, uri_path=("3", "0", "0"), accept=0)
        assert read.payload == b"Virtual Devices"
        written = await ask(
            context, registry, code=PUT, uri_path=("1", "0", "1"), content_format=0, payload=b"77"
        )
        assert written.code == CHANGED
        await device.until(lambda: device.counts["updated"] == 1)
        assert (await ask(context, registry, code=POST, uri_path=("1", "0", "8"))).code == CHANGED
        await device.until(lambda: device.counts["updated"] == 2)


async def test_answers_separately() -> None:
    async with managed(Faults(slow_seconds=0.2)) as (context, registry, _):
        read = await ask(context, registry, code=GET, uri_path=("3", "0", "0"), accept=0)
        assert read.payload == b"Virtual Devices"


async def test_blocks_in_both_directions() -> None:
    async with managed() as (context, registry, device):
        long = "y" * 5000
        written = await ask(
            context, registry, code=PUT, uri_path=("3", "0", "15"), content_format=0, payload=long.encode()
        )
        assert written.code == CHANGED
        assert device.tree.value(3, 0, 15) == long
        read = await ask(context, registry, code=GET, uri_path=("3", "0", "15"), accept=0)
        assert read.payload == long.encode()


async def test_a_long_object_list_is_uploaded_in_blocks() -> None:
    async with managed() as (_, registry, device):
        for number in range(300):
            device.tree.set_instance(3303, number, {5700: 1.0})
        await device.until(lambda: device.counts["updated"] >= 1)
        assert registry.sizes[-1] > 3000


async def test_observations_with_blocks_and_cancellation() -> None:
    async with managed(confirmable_notifications=True) as (context, registry, device):
        message = aiocoap.Message(code=GET, uri_path=("3", "0", "15"), accept=0, observe=0)
        message.remote = registry.callers[-1]
        request = context.request(message)
        assert (await request.response).payload == b"Etc/UTC"
        changes = request.observation.__aiter__()
        device.tree.set("/3/0/15", "Europe/Berlin")
        async with asyncio.timeout(60):
            assert (await changes.__anext__()).payload == b"Europe/Berlin"
        long = "z" * 2500
        device.tree.set("/3/0/15", long)
        async with asyncio.timeout(60):
            assert (await changes.__anext__()).payload == long.encode()
        request.observation.cancel()
        # aiocoap notices with the next notification that nobody listens, and resets the one after it.
        names = (f"Etc/GMT-{number}" for number in range(1000))

        def has_ended() -> bool:
            device.tree.set("/3/0/15", next(names))
            return len(device.registrations[0].observations) == 0

        await eventually(has_ended)

"""Firmware Update, OMA cases 751 to 779: pushed in blocks or pulled, each result with its real reason."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager

import pytest

from devices.registry.models import Registration
from devices.telemetry.models import ResourceHistory, ResourceValue
from lwm2m.codes import Code
from simulator.firmware_packages import pack
from simulator.nameplate import Flash
from tests.conformance import wire
from tests.conformance.wire import OPAQUE, TEXT, TLV, expect, refused
from tests.southbound.client import until
from tests.southbound.management import order, told

pytestmark = pytest.mark.django_db(transaction=True)

IDLE, DOWNLOADING, DOWNLOADED, UPDATING = range(4)
PACKAGE = pack("2.0.0", size=6000)


async def push(device, client, package: bytes) -> None:
    """Write Package, each block a request and an answer of its own."""
    messages = client.traffic.messages
    value = {"base64": base64.b64encode(package).decode()}
    expect(await order(device, "write", "/5/0/0", value=value, content_format=OPAQUE), "2.04")
    request = wire.sent(client, Code.PUT, "/5/0/0")
    assert (request.content_format, request.payload) == (OPAQUE, package)
    assert client.traffic.messages - messages >= 2 * -(-len(package) // 1024)


async def point(device, client, uri: str) -> None:
    """Write Package URI."""
    await wire.write(device, client, "/5/0/1", TEXT, value=uri)


async def outcome(device, client, state: int, result: int) -> None:
    """The device gets there, and the server reads it."""
    await until(lambda: (client.tree.value(5, 0, 3), client.tree.value(5, 0, 5)) == (state, result))
    assert await wire.read(device, client, "/5/0/3", TEXT) == {"/5/0/3": state}
    assert await wire.read(device, client, "/5/0/5", TEXT) == {"/5/0/5": result}


@asynccontextmanager
async def file_server(answer: bytes):
    """Sends the same bytes to whoever calls, and hangs up; its address."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/firmware.bin"


def http(body: bytes, *, missing: int = 0) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[: len(body) - missing]


@pytest.fixture
def update(drive):
    """`drive` with a device that has object 5."""
    return lambda scene, **behaviour: drive(scene, objects=(5,), **behaviour)


def test_int_751_what_can_be_read(update):
    async def scene(device, client):
        values = await wire.read(device, client, "/5/0", TLV)
        assert (values["/5/0/3"], values["/5/0/5"], values["/5/0/9"]) == (IDLE, 0, 2)
        assert (values["/5/0/8/0"], values["/5/0/8/1"]) == (0, 2)
        assert "/5/0/0" not in values
        assert told(await order(device, "read", "/5/0/8")) == {"/5/0/8/0": 0, "/5/0/8/1": 2}
        assert told(await order(device, "read", "/5/0/9")) == {"/5/0/9": 2}

    update(scene)


def test_int_755_setting_the_package(update):
    async def scene(device, client):
        await push(device, client, b"\0")
        await outcome(device, client, IDLE, 0)
        await push(device, client, PACKAGE)
        await outcome(device, client, DOWNLOADED, 0)
        assert told(await order(device, "read", "/5/0/7")) == {"/5/0/7": "2.0.0"}
        await push(device, client, b"\0")
        await outcome(device, client, IDLE, 0)

    update(scene)


def test_int_756_setting_the_package_uri(update):
    async def scene(device, client):
        async with file_server(http(PACKAGE)) as uri:
            await point(device, client, "")
            await outcome(device, client, IDLE, 0)
            await point(device, client, uri)
            await outcome(device, client, DOWNLOADED, 0)

    update(scene)


def test_int_760_state_is_observed_during_a_push(update):
    async def scene(device, client):
        attributes = await order(device, "write-attributes", "/5/0/3", attributes={"pmin": 0, "pmax": 60})
        expect(attributes, "2.04")
        assert told(await order(device, "observe", "/5/0/3")) == {"/5/0/3": IDLE}
        await push(device, client, PACKAGE)
        await until(lambda: ResourceValue.objects.filter(path="/5/0/3", number=DOWNLOADED).exists())
        rows = ResourceHistory.objects.filter(value__path="/5/0/3").order_by("at")
        seen = await until(lambda: list(rows.values_list("number", flat=True)))
        assert seen == [IDLE, DOWNLOADING, DOWNLOADED]

    update(scene)


async def installed(device, client) -> None:
    """Execute Update, and the device comes back with its new version."""
    before = await until(lambda: Registration.objects.get().registration_id)
    expect(await order(device, "execute", "/5/0/2"), "2.04")
    wire.sent(client, Code.POST, "/5/0/2")
    await until(lambda: Registration.objects.exclude(registration_id=before).filter(is_live=True).exists())
    await client.until(lambda: client.is_registered)
    await outcome(device, client, IDLE, 1)
    assert told(await order(device, "read", "/3/0/3")) == {"/3/0/3": "2.0.0"}


def test_int_770_update_by_push(update):
    async def scene(device, client):
        assert told(await order(device, "read", "/3/0/3")) == {"/3/0/3": "1.0.0"}
        await push(device, client, PACKAGE)
        await outcome(device, client, DOWNLOADED, 0)
        await installed(device, client)

    update(scene)


def test_int_771_update_by_pull(update):
    async def scene(device, client):
        async with file_server(http(PACKAGE)) as uri:
            await point(device, client, uri)
            await outcome(device, client, DOWNLOADED, 0)
        await installed(device, client)

    update(scene)


def test_int_772_install_without_a_package(update):
    async def scene(device, client):
        refused(await order(device, "execute", "/5/0/2"), "4.05")
        await outcome(device, client, IDLE, 0)

    update(scene)


SMALL = {"flash": Flash(storage_bytes=2000, memory_bytes=1500)}


@pytest.mark.parametrize(
    ("behaviour", "package", "result"),
    [
        pytest.param(SMALL, pack("2.0.0", size=3000), 2, id="int_773"),
        pytest.param(SMALL, pack("2.0.0", size=1600), 3, id="int_774"),
        pytest.param({}, PACKAGE[:-1] + b"?", 5, id="int_776"),
        pytest.param({}, b"\x7fELF" + bytes(2000), 6, id="int_777"),
    ],
)
def test_int_773_774_776_777_a_package_that_is_not_taken(update, behaviour, package, result):
    """Too large for the storage, for the memory; damaged; of another kind."""

    async def scene(device, client):
        await push(device, client, package)
        await outcome(device, client, IDLE, result)
        refused(await order(device, "execute", "/5/0/2"), "4.05")

    update(scene, **behaviour)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        pytest.param(http(PACKAGE, missing=1), 4, id="int_775"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\n\r\n", 7, id="int_778"),
    ],
)
def test_int_775_778_a_package_that_does_not_come(update, answer, result):
    """The connection is lost in the middle; there is no such file."""

    async def scene(device, client):
        async with file_server(answer) as uri:
            await point(device, client, uri)
            await outcome(device, client, IDLE, result)

    update(scene)


def test_int_779_an_install_that_fails(update):
    async def scene(device, client):
        await push(device, client, pack("2.0.0", installs=False))
        await outcome(device, client, DOWNLOADED, 0)
        expect(await order(device, "execute", "/5/0/2"), "2.04")
        await outcome(device, client, DOWNLOADED, 8)
        assert told(await order(device, "read", "/3/0/3")) == {"/3/0/3": "1.0.0"}

    update(scene)


def test_int_755_a_large_package(update):
    """300 kilobytes are 300 blocks; the device gets them whole."""

    async def scene(device, client):
        await push(device, client, pack("3.0.0", size=300_000))
        await outcome(device, client, DOWNLOADED, 0)

    update(scene)

"""Devices fetch packages from the file server: whole, by whatever blocks they like, and nobody gets anything else."""

from __future__ import annotations

import io
from hashlib import sha256
from urllib.parse import urlsplit

import aiocoap
import pytest
from aiocoap.numbers.codes import BAD_REQUEST, CONTENT, METHOD_NOT_ALLOWED, NOT_FOUND, VALID

from audit.models import LedgerEvent
from devices.packages.models import Package
from devices.packages.services import addresses, packages
from devices.telemetry.models import TraceMessage
from simulator.firmware_packages import pack
from simulator.firmware_update import Result, State
from southbound.process.ports import PortSettings
from tests.southbound.client import until
from tests.southbound.management import managed, order, told

PORTS = PortSettings("127.0.0.1", 0, 0, 0, 0, coap_files=0)
CONTENT_BYTES = bytes(number * number % 251 for number in range(70_000))


@pytest.fixture
def package(operator) -> Package:
    return packages.upload(
        operator=operator, name="Meter 1.4.2", file=io.BytesIO(CONTENT_BYTES), file_name="meter.bin"
    )


class Fetcher:
    """aiocoap's client, at the port that the server got."""

    def __init__(self, context: aiocoap.Context, port: int) -> None:
        self.context = context
        self.port = port

    async def ask(self, path: str, code: aiocoap.Code = aiocoap.GET, **what: object) -> aiocoap.Message:
        message = aiocoap.Message(code=code, uri=f"coap://127.0.0.1:{self.port}{path}", **what)
        return await self.context.request(message, handle_blockwise="block2" not in what).response


def fetching(play, scene, **options):
    async def whole(southbound):
        context = await aiocoap.Context.create_client_context(transports=["simple6"])
        try:
            return await scene(southbound, Fetcher(context, southbound.files.port))
        finally:
            await context.shutdown()

    return play(whole, ports=PORTS, **options)


def path_of(package: Package, device=None) -> str:
    return urlsplit(packages.uri(package, device)).path


def test_a_device_fetches_a_package_and_that_stands_in_its_trail(play, make_device, package):
    device = make_device()

    async def scene(southbound, fetcher):
        answer = await fetcher.ask(path_of(package, device))
        assert (answer.code, answer.payload) == (CONTENT, CONTENT_BYTES)
        await until(
            lambda: LedgerEvent.objects.filter(action="package.fetched", device_id=device.pk).exists()
        )
        await until(lambda: TraceMessage.objects.filter(device=device).count() == 2)
        await fetcher.ask(path_of(package))
        await until(lambda: Package.objects.get().fetches == 2)

    fetching(play, scene)
    first, last = TraceMessage.objects.order_by("number")
    assert first.path == "Meter 1.4.2 (0–1024 of 70000 bytes)"
    assert last.path == "Meter 1.4.2 (69632–70000 of 70000 bytes)"
    event = LedgerEvent.objects.get(action="package.fetched", device_id=device.pk)
    assert event.after == {"name": "Meter 1.4.2", "size": 70_000, "sha256": sha256(CONTENT_BYTES).hexdigest()}


@pytest.mark.parametrize("exponent", range(7))
def test_blocks_of_every_size_and_none_beyond_the_end(play, package, exponent):
    size = 16 << exponent

    async def scene(southbound, fetcher):
        path = path_of(package)
        last = (len(CONTENT_BYTES) - 1) // size
        for number in (0, 1, 65_536 // size, last):
            answer = await fetcher.ask(path, block2=(number, False, exponent))
            assert answer.code == CONTENT
            assert answer.payload == CONTENT_BYTES[number * size : (number + 1) * size]
            assert tuple(answer.opt.block2) == (number, number < last, exponent)
            assert answer.opt.etag == sha256(CONTENT_BYTES).digest()[:8]
            assert answer.opt.size2 == (len(CONTENT_BYTES) if number == 0 else None)
        beyond = await fetcher.ask(path, block2=(last + 1, False, exponent))
        assert beyond.code == BAD_REQUEST
        far = await fetcher.ask(path, block2=((1 << 20) - 1, False, exponent))
        assert far.code == BAD_REQUEST

    fetching(play, scene)


def test_who_has_it_already_is_told_so(play, package):
    async def scene(southbound, fetcher):
        answer = await fetcher.ask(path_of(package), etags=[sha256(CONTENT_BYTES).digest()[:8]])
        assert (answer.code, answer.payload) == (VALID, b"")

    fetching(play, scene)


def test_nothing_else_is_there(play, package, make_device):
    device = make_device()

    async def scene(southbound, fetcher):
        good = path_of(package, device)
        root, token, who = good.strip("/").split("/")
        wrong = [
            "/",
            "/.well-known/core",
            f"/{root}/{token}",
            f"/{root}/{token}/any",
            f"/{root}/{token}/{who[:-1]}",
            f"/{root}/{token}/{device.pk + 1}.{who.partition('.')[2]}",
            f"/{root}/x{token}/{who}",
            f"/{root}/{package.pk}/{who}",
            "/" + "/".join(addresses.path("never-uploaded", None)),
        ]
        for path in wrong:
            assert (await fetcher.ask(path)).code == NOT_FOUND, path
        for code in (aiocoap.POST, aiocoap.PUT, aiocoap.DELETE):
            assert (await fetcher.ask(good, code, payload=b"x")).code == METHOD_NOT_ALLOWED

    fetching(play, scene)


def test_what_was_removed_is_gone(play, package, monkeypatch):
    monkeypatch.setattr("southbound.files.shelf.KNOWN_SECONDS", 0.0)

    async def scene(southbound, fetcher):
        path = path_of(package)
        assert (await fetcher.ask(path, block2=(0, False, 6))).code == CONTENT
        await until(lambda: packages.remove(package=package) or True)
        assert (await fetcher.ask(path, block2=(1, False, 6))).code == NOT_FOUND

    fetching(play, scene)


def test_a_transfer_goes_on_over_generations_of_the_server(play, package, monkeypatch):
    monkeypatch.setattr("southbound.files.server.REQUESTS_A_GENERATION", 20)

    async def scene(southbound, fetcher):
        before = southbound.files.generations
        answer = await fetcher.ask(path_of(package), block2=(0, False, 2))
        got = answer.payload
        while answer.opt.block2.more:
            number = answer.opt.block2.block_number + 1
            answer = await fetcher.ask(path_of(package), block2=(number, False, 2))
            got += answer.payload
        assert got == CONTENT_BYTES
        assert southbound.files.generations > before

    fetching(play, scene)


def test_without_a_port_no_files_are_served_and_no_address_is_told(play, package, settings):
    settings.COAP_FILES_PORT = 0
    assert packages.uri(package) is None

    async def scene(southbound):
        return southbound.files

    files = play(scene)
    assert files.is_off


@pytest.mark.parametrize("access", ["suspended", "barred", "retired"])
def test_a_device_that_may_not_connect_fetches_nothing(play, package, make_device, access):
    device = make_device(access=access)

    async def scene(southbound, fetcher):
        assert (await fetcher.ask(path_of(package, device))).code == NOT_FOUND
        assert (await fetcher.ask(path_of(package))).code == CONTENT

    fetching(play, scene)


@pytest.mark.parametrize("stack", ["coap", "aiocoap"])
def test_a_device_pulls_its_firmware_and_installs_it(play, make_device, operator, settings, stack):
    """From the upload to the new version: `/5/0/1` is all that is written to the device."""
    device = make_device()
    content = pack("2.0.0", size=70_000)
    uploaded = packages.upload(operator=operator, name="2.0.0", file=io.BytesIO(content), file_name="2.bin")

    async def scene(southbound):
        settings.COAP_FILES_PORT = southbound.files.port
        async with managed(southbound, objects=(5,), stack=stack) as client:
            own = packages.uri(uploaded, device)
            assert (await order(device, "write", "/5/0/1", value=own)).response_code == "2.04"
            await until(lambda: client.tree.value(5, 0, 3) == State.DOWNLOADED)
            assert told(await order(device, "read", "/5/0/7")) == {"/5/0/7": "2.0.0"}
            await until(lambda: LedgerEvent.objects.filter(action="package.fetched").exists())
            assert (await order(device, "execute", "/5/0/2")).response_code == "2.04"
            await until(lambda: client.tree.value(3, 0, 3) == "2.0.0")

    play(scene, ports=PORTS)
    assert LedgerEvent.objects.get(action="package.fetched").device_id == device.pk


@pytest.mark.parametrize("path", ["/p/made/up.00", "", "/%F0%9F"])
def test_a_device_that_is_sent_to_nothing_says_so(play, make_device, path):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, objects=(5,)) as client:
            uri = f"coap://127.0.0.1:{southbound.files.port}{path}"
            assert (await order(device, "write", "/5/0/1", value=uri)).response_code == "2.04"
            await until(lambda: client.tree.value(5, 0, 5) == Result.BAD_URI)

    play(scene, ports=PORTS)

"""Message ids over time, streams, handshakes, and what a device says it has before it is bootstrapped."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from devices.inventory.models import Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.registry.models import Registration
from devices.telemetry.models import ResourceHistory, ResourceValue
from lwm2m.bootstrap import BootstrapPlan
from lwm2m.requests import register_request
from tests.field import scripted
from tests.field.cases import one
from tests.lwm2m.test_bootstrap import PSK
from tests.lwm2m.test_bootstrap import Client as BootstrapClient
from tests.lwm2m.test_bootstrap import play as play_bootstrap
from tests.southbound.client import management, until
from tests.southbound.conftest import running
from tests.southbound.listeners.test_tcp import PORTS

pytestmark = pytest.mark.django_db(transaction=True)


# -- message ids -----------------------------------------------------------------------------------------------
class Clock:
    """The clock of the message layer, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("southbound.process.ports.time", SimpleNamespace(monotonic=made.monotonic))
    return made


@pytest.fixture
def device(make_device):
    made = make_device()
    scripted.load_model(made)
    return made


def send(kind: int, mid: int, token: bytes, value: int) -> bytes:
    """``POST /dp`` in SenML JSON; `kind` is 0x40 for CON, 0x50 for NON."""
    head = bytes((kind | len(token), 2)) + mid.to_bytes(2, "big") + token
    return head + b"\xb2dp" + b"\x11\x6e\xff" + f'[{{"n":"/32700/0/1","v":{value}}}]'.encode()


async def stored(value: int) -> None:
    await until(lambda: ResourceValue.objects.filter(path="/32700/0/1", number=value).exists())


def test_a_message_id_is_forgotten_after_247_seconds_for_con(play, device, clock):
    assert one("message-id-memory-1").expected.startswith("a new message: 2.04 with token aa02")

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        first = await wire.ask_raw(send(0x40, 50000, b"\xaa\x01", 1))
        assert first.code == "2.04"
        clock.ahead += 252
        wire.send(send(0x40, 50000, b"\xaa\x02", 252))
        assert await wire.next() == b"\x62\x44\xc3\x50\xaa\x02"
        await stored(252)

    play(scene)


def test_a_message_id_is_forgotten_after_145_seconds_for_non(play, device, clock):
    assert one("message-id-memory-2").expected == "stored: 150"

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        wire.send(send(0x50, 50001, b"\xab", 11))
        await stored(11)
        clock.ahead += 150
        wire.send(send(0x50, 50001, b"\xab", 150))
        await stored(150)

    play(scene)


def test_another_message_with_a_known_id_is_another_message(play, device):
    assert "not answered with 2.01" in one("message-id-memory-4").expected

    async def scene(southbound):
        wire = await management(southbound)
        wire.mid = 99
        register = bytearray(wire.encode(register_request(endpoint="dev-1", object_links=scripted.LINKS)))
        register[4:8] = b"\x01\x01\x01\x01"
        assert (await wire.ask_raw(bytes(register))).code == "2.01"
        wire.send(send(0x40, 100, b"\x04\x04", 5))
        answer = await wire.next()
        assert answer[2:] == b"\x00\x64\x04\x04"
        assert answer[1] == 0x44
        await stored(5)

    play(scene)


def test_the_same_bytes_again_are_answered_again_and_stored_once(play, device):
    assert one("message-id-memory-6").expected == "the same ACK again, stored once"

    async def scene(southbound):
        wire, _ = await scripted.registered(southbound)
        datagram = send(0x40, 300, b"\x05", 7)
        wire.send(datagram)
        first = await wire.next()
        wire.send(datagram)
        assert await wire.next() == first

    play(scene)
    assert ResourceHistory.objects.count() == 1


# -- streams ---------------------------------------------------------------------------------------------------
CSM = b"\x00\xe1"
REGISTER = b"\xb2rd\x11\x28\x38ep=dev-1\x09lwm2m=1.1\xff"


def _frame(code: int, body: bytes) -> bytes:
    length = len(body)
    head = bytes((0xD0, length - 13)) if length >= 13 else bytes((length << 4,))
    return head + bytes((code,)) + body


def _on_tcp(settings, tmp_path, scene):
    settings.DATA_DIR = tmp_path

    async def main():
        async with running(ports=PORTS) as southbound:
            port = southbound.ports.stream_port_of(Plane.MANAGEMENT)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                return await asyncio.wait_for(scene(reader, writer), 60)
            finally:
                writer.close()

    return asyncio.run(main())


async def _code(reader, wanted: set[int]) -> int:
    """The code of the next frame that is one of these; the portal's own CSM and others are passed over."""
    while True:
        head = (await reader.readexactly(1))[0]
        length, token = head >> 4, head & 15
        if length == 13:
            length = 13 + (await reader.readexactly(1))[0]
        code = (await reader.readexactly(1))[0]
        await reader.readexactly(token + length)
        if code in wanted:
            return code


def test_a_register_over_tcp_one_byte_a_segment(settings, tmp_path, make_device):
    assert one("coap-tcp-1").expected == "2.01"
    make_device()

    async def scene(reader, writer):
        for byte in CSM + _frame(2, REGISTER + scripted.LINKS[:100].rsplit(b",", 1)[0]):
            writer.write(bytes((byte,)))
            await writer.drain()
        return await _code(reader, {0x41, 0x80, 0x83})

    assert _on_tcp(settings, tmp_path, scene) == 0x41
    assert Registration.objects.get().transport == "tcp"


def test_a_message_before_the_capabilities_is_an_abort(settings, tmp_path, make_device):
    assert one("coap-tcp-3").expected == "7.05 Abort"
    make_device()

    async def scene(reader, writer):
        writer.write(_frame(2, REGISTER + b"</1/0>"))
        return await _code(reader, {0x41, 0xE5})

    assert _on_tcp(settings, tmp_path, scene) == 0xE5


def test_a_ping_is_answered(settings, tmp_path, db):
    assert one("coap-tcp-4").expected == "7.03"

    async def scene(reader, writer):
        writer.write(CSM + b"\x00\xe2")
        return await _code(reader, {0xE3, 0xE5})

    assert _on_tcp(settings, tmp_path, scene) == 0xE3


# -- handshakes ------------------------------------------------------------------------------------------------
KEY = bytes(range(16))


@pytest.fixture
def secured(make_device):
    made = make_device("dev-1", security="psk")
    credentials.store(
        device=made, plane=Plane.MANAGEMENT, kind="psk", material=Material("psk-1", KEY), origin="test"
    )
    return made


@contextmanager
def s_client(port: int, *more: str, ciphers: str = "PSK-AES128-CCM8") -> Iterator[subprocess.Popen]:
    """OpenSSL's client with a Register on its standard input; killed without a farewell."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    command = [openssl, "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-quiet", "-nocommands"]
    command += ["-psk_identity", "psk-1", "-psk", KEY.hex(), "-cipher", f"{ciphers}:@SECLEVEL=0", *more]
    client = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        client.stdin.write(b"\x40\x02\x12" + os.urandom(1) + REGISTER + b"</1/0>,</3/0>")
        client.stdin.flush()
        yield client
    finally:
        client.kill()
        client.communicate()


async def _registration(other_than: str = "") -> str:
    rows = Registration.objects.filter(is_live=True).exclude(registration_id=other_than)
    return (await until(rows.first)).registration_id


def test_a_hello_in_fragments_is_shaken_hands_with(play, secured):
    """The hello with all of OpenSSL's suites does not fit 256 bytes, the least that newer versions take for a path."""
    assert one("dtls-fragmented-hello-1").expected == "handshake"

    async def scene(southbound):
        port = southbound.ports.port_of(Plane.MANAGEMENT, secured=True)
        with s_client(port, "-mtu", "256", ciphers="ALL:PSK"):
            await _registration()

    play(scene)


def test_a_killed_client_comes_back_at_its_port(play, secured):
    assert one("dtls-port-reuse-1").expected == "new session"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        own = f"127.0.0.1:{free.getsockname()[1]}"

    async def scene(southbound):
        port = southbound.ports.port_of(Plane.MANAGEMENT, secured=True)
        with s_client(port, "-bind", own):
            first = await _registration()
        with s_client(port, "-bind", own):
            await _registration(other_than=first)

    play(scene)


# -- bootstrap -------------------------------------------------------------------------------------------------
def test_an_account_is_written_where_no_bootstrap_account_can_stand():
    case = one("bootstrap-discover-1")
    assert case.expected.endswith("account written to /0/2")
    client = DiscoveredClient({0: None, 1: 0})
    client.discovered = case.input.encode()
    play_bootstrap(client, BootstrapPlan((PSK,)))
    assert {path for path in client.written if path.startswith("/0/")} >= {"/0/2/0", "/0/2/10"}
    assert not [path for path in client.written if path.startswith(("/0/0/", "/0/1/"))]


class DiscoveredClient(BootstrapClient):
    """Answers Discover with the bytes of the case."""

    discovered = b""

    def links(self, path):
        return self.discovered

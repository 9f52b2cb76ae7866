"""Security of the channel, OMA case 401: a registration and a Read over DTLS with a pre-shared key."""

from __future__ import annotations

import pytest

from devices.inventory.models import Knock, Plane
from devices.inventory.security import Material
from devices.inventory.services import credentials
from devices.registry.models import Registration
from tests.conformance import wire
from tests.fakes.devices import running_device
from tests.southbound.client import until
from tests.southbound.management import order, told

pytestmark = pytest.mark.django_db(transaction=True)
KEY = bytes(range(16))


def secured(southbound) -> str:
    return f"coaps://127.0.0.1:{southbound.ports.port_of(Plane.MANAGEMENT, secured=True)}"


@pytest.fixture
def device(make_device):
    made = make_device("dev-1", security="psk")
    credentials.store(
        device=made, plane=Plane.MANAGEMENT, kind="psk", material=Material("psk-1", KEY), origin="test"
    )
    return made


@pytest.mark.parametrize("cipher", ["TLS_PSK_WITH_AES_128_CCM_8", "TLS_PSK_WITH_AES_128_CBC_SHA256"])
def test_int_401_udp_channel_with_a_pre_shared_key(play, device, cipher):
    async def scene(southbound):
        what = {"identity": "psk-1", "key": KEY, "ciphers": (cipher,)}
        async with running_device("dev-1", server=secured(southbound), **what) as client:
            await client.until(lambda: client.is_registered)
            row = await until(lambda: Registration.objects.get())
            assert (row.transport, row.identity, row.is_live) == ("dtls", "psk-1", True)
            assert await wire.read(device, client, "/3/0/0", wire.TEXT) == {"/3/0/0": "Virtual Devices"}
            assert told(await order(device, "read", "/3/0"))["/3/0/2"] == "dev-1"

    play(scene)


def test_int_401_a_wrong_key_gets_no_channel(play, device):
    async def scene(southbound):
        what = {"identity": "psk-1", "key": bytes(16), "handshake_seconds": 1.0}
        async with running_device("dev-1", server=secured(southbound), **what) as client:
            await client.until(lambda: client.counts["refused"] > 0)
            await until(lambda: Knock.objects.filter(device=device).exists())

    play(scene)
    assert not Registration.objects.exists()

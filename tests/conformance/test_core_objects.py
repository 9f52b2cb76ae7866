"""The core objects, OMA cases 551 to 910; the firmware object has a file of its own."""

from __future__ import annotations

import pytest

from devices.observations.models import Observation
from devices.telemetry.models import ResourceValue
from lwm2m.codes import Code
from tests.conformance import wire
from tests.conformance.wire import TEXT, TLV, expect, refused
from tests.southbound.client import until
from tests.southbound.management import order, told

pytestmark = pytest.mark.django_db(transaction=True)


async def value_is(path: str, number: float) -> None:
    await until(lambda: ResourceValue.objects.filter(path=path, number=number).exists())


async def observed(device, client, path: str, **attributes: int) -> dict:
    """Write-Attributes, then Observe; the first values."""
    expect(await order(device, "write-attributes", path, attributes=attributes), "2.04")
    assert set(wire.sent(client, Code.PUT, path).query) == {f"{k}={v}" for k, v in attributes.items()}
    first = told(await order(device, "observe", path))
    assert wire.sent(client, Code.GET, path).observe == 0
    return first


def test_int_651_device_access_to_resources(drive):
    clock = {"13": 1_700_000_000, "14": "+02:00", "15": "Europe/Helsinki"}

    async def scene(device, client):
        before = await wire.read(device, client, "/3/0", TLV)
        sent = await wire.write(device, client, "/3/0", TLV, values=clock)
        assert sent.payload.startswith(bytes.fromhex("c40d 6553f100"))
        found = await wire.read(device, client, "/3/0", TLV)
        assert [found[f"/3/0/{name}"] for name in clock] == list(clock.values())
        assert found["/3/0/0"] == before["/3/0/0"]
        saved = {name: before[f"/3/0/{name}"] for name in ("13", "14", "15")}
        await wire.write(device, client, "/3/0", TLV, values=saved, mode="replace")
        found = await wire.read(device, client, "/3/0", TLV)
        assert [found[f"/3/0/{name}"] for name in saved] == list(saved.values())

    drive(scene)


def test_int_652_firmware_version(drive):
    async def scene(device, client):
        assert await wire.read(device, client, "/3/0/3", TEXT) == {"/3/0/3": "1.0.0"}

    drive(scene)
    assert ResourceValue.objects.get(path="/3/0/3").text == "1.0.0"


def test_int_680_the_device_object_cannot_be_created(drive):
    async def scene(device, client):
        values = {"/3/1/0": "another"}
        refused(await order(device, "create", "/3", instance_id=1, values=values), "4.05")
        wire.sent(client, Code.POST, "/3")
        assert client.tree.instance_ids(3) == [0]

    drive(scene)


def test_int_685_the_device_object_cannot_be_deleted(drive):
    async def scene(device, client):
        refused(await order(device, "delete", "/3/0"), "4.05")
        wire.sent(client, Code.DELETE, "/3/0")
        assert client.tree.instance_ids(3) == [0]

    drive(scene)


def test_int_701_connectivity_monitoring_is_read(drive):
    async def scene(device, client):
        values = await wire.read(device, client, "/4/0", TLV)
        assert (values["/4/0/2"], values["/4/0/4/0"], values["/4/0/8"]) == (-85, "127.0.0.1", 310012)

    drive(scene)


def test_int_710_connectivity_monitoring_is_observed(drive):
    async def scene(device, client):
        first = await observed(device, client, "/4/0", pmin=0, pmax=60)
        assert first["/4/0/2"] == -85
        client.tree.set("/4/0/2", -97)
        await value_is("/4/0/2", -97)

    drive(scene)


def test_int_801_location_is_read(drive):
    async def scene(device, client):
        values = await wire.read(device, client, "/6/0", TLV)
        assert (values["/6/0/0"], values["/6/0/1"]) == (60.17, 24.94)
        assert values["/6/0/4"] == {"base64": "ABAABw=="}

    drive(scene, objects=(6,))


def test_int_810_location_is_observed(drive):
    async def scene(device, client):
        await observed(device, client, "/6/0", pmin=0, pmax=60)
        client.tree.set("/6/0/0", 61.5)
        await value_is("/6/0/0", 61.5)

    drive(scene, objects=(6,))


def test_int_901_statistics_are_collected(drive):
    async def scene(device, client):
        assert (await wire.read(device, client, "/7/0", TLV))["/7/0/4"] == 0  # nothing before Start
        expect(await order(device, "execute", "/7/0/6"), "2.04")
        for _ in range(6):
            await order(device, "read", "/3")
        counting = await wire.read(device, client, "/7/0", TLV)
        assert counting["/7/0/4"] > 100
        assert counting["/7/0/2"] >= 1  # kilobytes sent
        expect(await order(device, "execute", "/7/0/7"), "2.04")
        stopped = await wire.read(device, client, "/7/0", TLV)
        await order(device, "read", "/3")
        assert await wire.read(device, client, "/7/0", TLV) == stopped

    drive(scene, objects=(7,))


def test_int_905_the_period_of_collecting(drive):
    """OMA has minutes; after one second the device stops counting by itself."""

    async def scene(device, client):
        await wire.write(device, client, "/7/0/8", TEXT, value=1)
        assert await wire.read(device, client, "/7/0/8", TEXT) == {"/7/0/8": 1}
        expect(await order(device, "execute", "/7/0/6"), "2.04")
        statistics = client.equipment[7]
        await until(lambda: not statistics.is_counting)
        stopped = await wire.read(device, client, "/7/0", TLV)
        await order(device, "read", "/3")
        assert await wire.read(device, client, "/7/0", TLV) == stopped

    drive(scene, objects=(7,))


def test_int_910_statistics_are_observed(drive):
    async def scene(device, client):
        await observed(device, client, "/7/0", pmin=1, pmax=2)
        expect(await order(device, "execute", "/7/0/6"), "2.04")
        await order(device, "read", "/3")
        await until(lambda: ResourceValue.objects.filter(path="/7/0/4", number__gt=100).exists())
        await until(lambda: Observation.objects.get().last_notified_at is not None)

    drive(scene, objects=(7,))

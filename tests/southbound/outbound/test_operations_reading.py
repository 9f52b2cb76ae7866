"""Read, Discover and Read-Composite of a real device, by OMA case."""

from __future__ import annotations

import pytest

from devices.telemetry.models import ResourceValue
from tests.southbound.management import managed, order, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "content_format", [pytest.param(0, id="test_int_201"), pytest.param(60, id="test_int_211")]
)
def test_int_201_211_single_values(play, make_device, content_format):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound):
            for path, value in (("/3/0/0", "Virtual Devices"), ("/3/0/2", "dev-1"), ("/1/0/0", 1)):
                read = await order(device, "read", path, content_format=content_format)
                assert told(read) == {path: value}
                assert read.answer["content_format"] == content_format

    play(scene)


@pytest.mark.parametrize("content_format", [11542, 11543, 110, 112, 11544])
def test_int_203_204_231_232_whole_instance_in_every_format(play, make_device, content_format):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version="1.2"):
            values = told(await order(device, "read", "/3/0", content_format=content_format))
            assert values["/3/0/2"] == "dev-1"
            assert values["/3/0/7/1"] == 5000

    play(scene)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_int_222_223_224_225_237_read_at_every_level(play, make_device, version):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version=version):
            assert told(await order(device, "read", "/3"))["/3/0/7/0"] == 3800
            assert told(await order(device, "read", "/3/0"))["/3/0/7/0"] == 3800
            assert told(await order(device, "read", "/3/0/7")) == {"/3/0/7/0": 3800, "/3/0/7/1": 5000}
            assert 17.0 in told(await order(device, "read", "/3303/0")).values()
            if version != "1.0":
                assert told(await order(device, "read", "/3/0/7/1")) == {"/3/0/7/1": 5000}

    play(scene)
    assert ResourceValue.objects.get(device=device, path="/3/0/7/1").number == 5000


def test_int_229_235_236_read_composite(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound):
            values = told(
                await order(device, "read-composite", paths=["/3", "/1/0/1", "/3/0/11/0", "/3/0/20"])
            )
            assert values["/1/0/1"] == 86400
            assert values["/3/0/11/0"] == 0
            assert "/3/0/20" not in values
            everything = told(await order(device, "read-composite", paths=["/"]))
            assert "/3303/0/5700" in everything
            assert not any(path.startswith("/0/") for path in everything)

    play(scene)
    assert ResourceValue.objects.get(device=device, path="/1/0/1").number == 86400


def test_int_260_261_discover(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version="1.2"):
            assert "</3/0/9>" in (await order(device, "discover", "/3/0")).answer["links"]
            attributes = {"pmin": 5, "pmax": 60, "gt": 90, "lt": 10.5, "st": 1}
            written = await order(device, "write-attributes", "/3/0/9", attributes=attributes)
            assert written.response_code == "2.04"
            links = (await order(device, "discover", "/3/0/9")).answer["links"]
            assert "pmin=5" in links
            assert "lt=10.5" in links
            await order(device, "write-attributes", "/3/0/9", attributes={"pmin": None})
            assert "pmin" not in (await order(device, "discover", "/3/0/9")).answer["links"]
            assert (await order(device, "discover", "/3", depth=1)).response_code == "2.05"

    play(scene)


def test_alternate_path(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, root_path="lwm2m/x", version="1.2") as client:
            assert told(await order(device, "read", "/3/0/2")) == {"/3/0/2": "dev-1"}
            assert told(await order(device, "read-composite", paths=["/3/0/2"])) == {"/3/0/2": "dev-1"}
            client.tree.set_instance(16, 0, {0: {0: "a"}})
            made = await order(device, "create", "/16", instance_id=7, values={"0/0": "x"})
            assert made.response_code == "2.01"

    play(scene)
    assert ResourceValue.objects.get(device=device, path="/3/0/2").text == "dev-1"

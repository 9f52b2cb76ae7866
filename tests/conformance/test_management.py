"""Device management and service enablement, OMA cases 201 to 281: each driven by an order and judged on the wire."""

from __future__ import annotations

import asyncio

import pytest

from devices.registry.models import Registration
from devices.telemetry.models import ResourceValue
from lwm2m.codes import Code
from lwm2m.requests import register_request
from tests.conformance import wire
from tests.conformance.wire import CBOR, JSON, SENML_CBOR, SENML_JSON, TEXT, TLV, answered, expect, refused
from tests.fakes import foreign
from tests.southbound.client import decode, management, until
from tests.southbound.management import order, told

pytestmark = pytest.mark.django_db(transaction=True)

SET = {"2": 101, "3": 1010, "5": 2000, "6": True, "7": "U"}
SAVED = {"1": 86400, "2": 1, "3": 10, "5": 86400, "6": False, "7": "U"}


def configured(client) -> None:
    """C.3: what a case writes to and puts back."""
    for number, value in ((2, 1), (3, 10), (5, 86400)):
        client.tree.set(f"/1/0/{number}", value)


async def lifetime_is(seconds: int) -> None:
    await until(lambda: Registration.objects.filter(lifetime_seconds=seconds).exists())


def test_int_201_basic_information_in_plain_text(drive):
    async def scene(device, client):
        for path, value in (
            ("/3/0/0", "Virtual Devices"),
            ("/3/0/1", "LwM2M 1.1 simulator"),
            ("/3/0/2", "dev-1"),
        ):
            assert await wire.read(device, client, path, TEXT) == {path: value}

    drive(scene)
    assert ResourceValue.objects.get(path="/3/0/2").text == "dev-1"


@pytest.mark.parametrize("number", [pytest.param(TLV, id="int_203"), pytest.param(JSON, id="int_204")])
def test_int_203_204_basic_information_in_tlv_and_json(drive, number):
    async def scene(device, client):
        values = await wire.read(device, client, "/3/0", number)
        assert (values["/3/0/0"], values["/3/0/11/0"], values["/3/0/16"]) == ("Virtual Devices", 0, "U")

    drive(scene)


@pytest.mark.parametrize("number", [pytest.param(TEXT, id="int_205"), pytest.param(CBOR, id="int_212")])
def test_int_205_212_setting_single_values(drive, number):
    async def scene(device, client):
        configured(client)
        for resource, value in (("2", 101), ("3", 1010), ("5", 2000)):
            path = f"/1/0/{resource}"
            before = (await wire.read(device, client, path, number))[path]
            sent = await wire.write(device, client, path, number, value=value)
            assert number != TEXT or sent.payload == str(value).encode()
            assert await wire.read(device, client, path, number) == {path: value}
            await wire.write(device, client, path, number, value=before)
            assert client.tree.value(1, 0, int(resource)) == before

    drive(scene)


def test_int_211_querying_in_cbor(drive):
    async def scene(device, client):
        client.tree.set("/1/0/6", True)
        for path, value in (("/1/0/0", 1), ("/1/0/6", True), ("/1/0/7", "U")):
            assert await wire.read(device, client, path, CBOR) == {path: value}

    drive(scene)


@pytest.mark.parametrize("number", [pytest.param(TLV, id="int_215"), pytest.param(JSON, id="int_220")])
def test_int_215_220_setting_an_instance_in_tlv_and_json(drive, number):
    async def scene(device, client):
        configured(client)
        sent = await wire.write(device, client, "/1/0", number, values=SET)
        if number == TLV:
            assert sent.payload == bytes.fromhex("c10265 c20303f2 c20507d0 c10601 c10755")
        found = await wire.read(device, client, "/1/0", number)
        assert {name: found[f"/1/0/{name}"] for name in SET} == SET
        assert found["/1/0/1"] == 86400  # a partial update leaves the rest
        await wire.write(device, client, "/1/0", number, values=SAVED, mode="replace")
        found = await wire.read(device, client, "/1/0", number)
        assert {name: found[f"/1/0/{name}"] for name in SAVED} == SAVED

    drive(scene)


def test_int_221_the_security_object_is_refused_by_the_device_itself(drive):
    async def scene(device, client):
        refused(await order(device, "read", "/0"), "4.01")
        wire.sent(client, Code.GET, "/0")
        refused(await order(device, "write", "/0/0/0", value="coap://elsewhere.example", force=True), "4.01")
        wire.sent(client, Code.PUT, "/0/0/0")
        refused(await order(device, "write-attributes", "/0", attributes={"pmin": 10}), "4.01")
        assert wire.sent(client, Code.PUT, "/0").query == ("pmin=10",)

    drive(scene)
    assert not ResourceValue.objects.filter(path__startswith="/0/").exists()


LEVELS = [
    pytest.param("/1", "/1/0/1", 86400, id="int_222"),
    pytest.param("/1/0", "/1/0/1", 86400, id="int_223"),
    pytest.param("/1/0/1", "/1/0/1", 86400, id="int_224"),
    pytest.param("/3/0/11/0", "/3/0/11/0", 0, id="int_225"),
]


@pytest.mark.parametrize(("path", "name", "value"), LEVELS)
def test_int_222_223_224_225_read_at_each_level(drive, path, name, value):
    async def scene(device, client):
        assert told(await order(device, "read", path))[name] == value
        wire.sent(client, Code.GET, path)
        assert answered(client)[0] == "2.05"

    drive(scene)
    assert ResourceValue.objects.get(path=name).number == value


def test_int_226_partial_update_of_an_instance(drive):
    async def scene(device, client):
        await wire.write(device, client, "/1/0", SENML_CBOR, values={"1": 61, "6": True})
        assert (client.tree.value(1, 0, 6), client.tree.value(1, 0, 0)) == (True, 1)
        await lifetime_is(61)

    drive(scene)


def test_int_227_replacing_a_resource(drive):
    async def scene(device, client):
        await wire.write(device, client, "/1/0/1", TEXT, value=63)
        await lifetime_is(63)
        assert await wire.read(device, client, "/1/0/1", TEXT) == {"/1/0/1": 63}

    drive(scene)


def test_int_228_writing_a_resource_instance(drive):
    async def scene(device, client):
        await wire.write(device, client, "/16/0/0/1", TEXT, value="another maker")
        assert client.tree.instance(16, 0)[0][1] == "another maker"
        assert client.tree.instance(16, 0)[0][0] == "host device"

    drive(scene, objects=(16,))


def test_int_229_read_composite(drive):
    paths = ["/3", "/1/0", "/1/0/1", "/3/0/11/0"]

    async def scene(device, client):
        values = told(await order(device, "read-composite", paths=paths))
        wire.sent(client, Code.FETCH, "/")
        assert (values["/1/0/1"], values["/3/0/11/0"], values["/3/0/2"]) == (86400, 0, "dev-1")

    drive(scene)


def test_int_230_write_composite(drive):
    texts = {f"/16/0/0/{number}": f"text {number}" for number in range(4)}

    async def scene(device, client):
        expect(
            await order(device, "write-composite", values={"/1/0/1": 60, "/1/0/6": False, **texts}), "2.04"
        )
        wire.sent(client, Code.IPATCH, "/")
        assert sum(request.code == Code.IPATCH for request, _ in client.asked) == 1
        await lifetime_is(60)
        assert client.tree.value(1, 0, 6) is False
        assert client.tree.instance(16, 0)[0] == {number: f"text {number}" for number in range(4)}

    drive(scene, objects=(16,))


@pytest.mark.parametrize(
    "number", [pytest.param(SENML_JSON, id="int_231"), pytest.param(SENML_CBOR, id="int_232")]
)
def test_int_231_232_querying_senml_at_each_level(drive, number):
    async def scene(device, client):
        for path, name, value in (
            ("/3", "/3/0/0", "Virtual Devices"),
            ("/3/0", "/3/0/16", "U"),
            ("/3/0/7", "/3/0/7/1", 5000),
            ("/3/0/7/0", "/3/0/7/0", 3800),
        ):
            assert (await wire.read(device, client, path, number))[name] == value

    drive(scene)


@pytest.mark.parametrize(
    "number", [pytest.param(SENML_CBOR, id="int_233"), pytest.param(SENML_JSON, id="int_234")]
)
def test_int_233_234_setting_in_senml(drive, number):
    async def scene(device, client):
        await wire.write(device, client, "/1/0", number, values={"2": 101, "3": 1010, "6": True})
        assert [client.tree.value(1, 0, resource) for resource in (2, 3, 6)] == [101, 1010, True]
        await wire.write(device, client, "/16/0/0/0", number, value="one")
        await wire.write(device, client, "/16/0/0", number, value={"0": "zero", "5": "five"})
        assert client.tree.instance(16, 0)[0] == {0: "zero", 5: "five"}
        await wire.write(device, client, "/1/0/1", number, value=90)
        await lifetime_is(90)

    drive(scene, objects=(16,))


def test_int_235_read_composite_of_the_root(drive):
    async def scene(device, client):
        values = told(await order(device, "read-composite", paths=["/"]))
        objects = {path.split("/")[1] for path in values}
        assert {"1", "3", "4", "3303"} <= objects
        assert not objects & {"0", "21", "23"}

    drive(scene)


def test_int_236_what_is_not_there_is_absent_and_no_error(drive):
    async def scene(device, client):
        paths = ["/3/0/2", "/3/0/20", "/3/7/0", "/1/0/1", "/4444/0"]
        command = await order(device, "read-composite", paths=paths)
        assert told(command) == {"/3/0/2": "dev-1", "/1/0/1": 86400}

    drive(scene)


@pytest.mark.parametrize(
    ("number", "payload"),
    [
        (TEXT, b"41"),
        (CBOR, b"\x18\x29"),
        (SENML_JSON, b'[{"bn":"/3/0/9","v":41}]'),
        (SENML_CBOR, bytes.fromhex("81a221662f332f302f39021829")),
        (TLV, bytes.fromhex("c10929")),
        (JSON, b'{"bn":"/3/0/9","e":[{"v":41}]}'),
    ],
)
def test_int_237_a_read_without_accept_is_decoded_whatever_comes(play, make_device, number, payload):
    """The device names no formats of its own, so it is asked without Accept and answers as it likes."""
    device = make_device()

    async def scene(southbound):
        client = await management(southbound)
        links = b'</>;rt="oma.lwm2m",</1/0>,</3/0>'
        await client.ask(register_request(endpoint="dev-1", object_links=links))

        async def answer():
            asked = decode(await client.next()).message
            assert (asked.opt.accept, asked.opt.uri_path) == (None, ("3", "0", "9"))
            said = foreign.message(2, asked.mid, asked.token, code=0x45, payload=payload)
            said.opt.content_format = number
            client.send(said.encode())

        answering = asyncio.get_running_loop().create_task(answer())
        command = await order(device, "read", "/3/0/9")
        await answering
        assert told(command) == {"/3/0/9": 41}
        assert command.answer["content_format"] == number

    play(scene)


def test_int_241_reboot(drive):
    async def scene(device, client):
        before = await until(lambda: Registration.objects.get())
        expect(await order(device, "execute", "/3/0/4"), "2.04")
        wire.sent(client, Code.POST, "/3/0/4")
        after = await until(
            lambda: Registration.objects.exclude(registration_id=before.registration_id).first()
        )
        assert after.is_live
        await client.until(lambda: client.is_registered)
        assert told(await order(device, "read", "/3/0/2")) == {"/3/0/2": "dev-1"}

    drive(scene)


def test_int_256_a_write_that_fails(drive):
    async def scene(device, client):
        refused(await order(device, "write", "/1/0/0", value=7, force=True), "4.05")
        assert client.tree.value(1, 0, 0) == 1

    drive(scene)


def test_int_257_write_composite_to_server_and_device(drive):
    async def scene(device, client):
        values = {"/1/0/2": 5, "/1/0/6": True, "/3/0/13": 1_700_000_000}
        expect(await order(device, "write-composite", values=values), "2.04")
        assert wire.sent(client, Code.IPATCH, "/").content_format == SENML_CBOR
        found = (client.tree.value(1, 0, 2), client.tree.value(1, 0, 6), client.tree.value(3, 0, 13))
        assert found == (5, True, 1_700_000_000)

    drive(scene)


async def discovered(device, client, path: str, **depth: int) -> dict[str, str]:
    """The links of a Discover: what stands behind each path."""
    command = await order(device, "discover", path, **depth)
    request = wire.sent(client, Code.GET, path)
    assert request.accept == wire.LINK
    assert request.query == tuple(f"depth={number}" for number in depth.values())
    found = {}
    for link in expect(command, "2.05")["links"].split(","):
        target, _, attributes = link.partition(">")
        found[target.lstrip("<")] = attributes.lstrip(";")
    return found


async def attribute(device, client, path: str, **attributes) -> None:
    expect(await order(device, "write-attributes", path, attributes=attributes), "2.04")
    sent = wire.sent(client, Code.PUT, path)
    assert set(sent.query) == {f"{name}={value}" for name, value in attributes.items()}
    assert (sent.payload, sent.content_format) == (b"", None)


def test_int_260_discover(drive):
    async def scene(device, client):
        found = await discovered(device, client, "/3")
        assert {"/3", "/3/0", "/3/0/0", "/3/0/4", "/3/0/16"} <= set(found)
        await attribute(device, client, "/3", pmin=10, pmax=60)
        await attribute(device, client, "/3/0/7", lt=1, gt=50)
        found = await discovered(device, client, "/3/0")
        assert found["/3/0"] == ""
        assert found["/3/0/7"] == "dim=2;lt=1;gt=50"
        # of a resource also what it inherits
        assert await discovered(device, client, "/3/0/7") == {"/3/0/7": "dim=2;pmin=10;pmax=60;lt=1;gt=50"}

    drive(scene)


def test_int_261_attributes_at_several_levels(drive):
    async def scene(device, client):
        await attribute(device, client, "/3", pmin=10, pmax=200)
        await attribute(device, client, "/3/0", pmin=20)
        await attribute(device, client, "/3/0/9", epmin=1, epmax=100, lt=5, gt=80, st=2)
        await attribute(device, client, "/3/0/7/0", lt=4, gt=10)
        found = await discovered(device, client, "/3")
        assert (found["/3"], found["/3/0"]) == ("pmin=10;pmax=200", "pmin=20")
        assert (await discovered(device, client, "/3/0"))["/3/0/9"] == "lt=5;gt=80;st=2;epmin=1;epmax=100"
        expect(await order(device, "write-attributes", "/3", attributes={"pmin": None}), "2.04")
        assert wire.last(client).query == ("pmin",)
        assert (await discovered(device, client, "/3"))["/3"] == "pmax=200"

    drive(scene)


def test_int_264_discover_one_level(drive):
    async def scene(device, client):
        assert set(await discovered(device, client, "/3", depth=1)) == {"/3", "/3/0"}

    drive(scene, version="1.2")


def test_int_266_discover_two_and_three_levels(drive):
    async def scene(device, client):
        await attribute(device, client, "/3/0/7/1", lt=20, gt=85)
        two = await discovered(device, client, "/3", depth=2)
        assert "/3/0/7" in two
        assert "/3/0/7/0" not in two
        three = await discovered(device, client, "/3", depth=3)
        assert (three["/3/0/7"], three["/3/0/7/0"], three["/3/0/7/1"]) == ("dim=2", "", "lt=20;gt=85")

    drive(scene, version="1.2")


def test_int_280_read_composite_that_succeeds(drive):
    async def scene(device, client):
        values = told(await order(device, "read-composite", paths=["/3/0/16", "/3/0/11/0", "/1/0"]))
        assert {"/3/0/16": "U", "/3/0/11/0": 0, "/1/0/1": 86400}.items() <= values.items()
        assert all(path.startswith("/1/0/") or path in ("/3/0/16", "/3/0/11/0") for path in values)

    drive(scene)


def test_int_281_read_composite_leaves_out_what_cannot_be_read(drive):
    async def scene(device, client):
        values = told(await order(device, "read-composite", paths=["/3/0/16", "/1/0/8", "/1/0/1"]))
        assert values == {"/3/0/16": "U", "/1/0/1": 86400}

    drive(scene)

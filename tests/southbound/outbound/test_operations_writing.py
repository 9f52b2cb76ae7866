"""Write, Execute, Create, Delete and Write-Composite on a real device, by OMA case."""

from __future__ import annotations

import pytest

from devices.telemetry.models import ResourceValue
from lwm2m import formats
from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.links import parse_object_links
from lwm2m.nodes import Node
from lwm2m.objects import core
from lwm2m.paths import Path
from southbound.outbound import operations
from southbound.peers.targets import Target
from tests.southbound.management import managed, order, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_int_205_212_227_write_a_resource(play, make_device, version):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version=version) as client:
            assert (await order(device, "write", "/1/0/2", value=101)).response_code == "2.04"
            assert (await order(device, "write", "/1/0/3", value=1010, content_format=0)).state == "done"
            assert (await order(device, "write", "/1/0/1", value=63)).state == "done"
            assert [client.tree.value(1, 0, number) for number in (2, 3, 1)] == [101, 1010, 63]
            if version != "1.0":
                await order(device, "write", "/1/0/2", value=7, content_format=60)
                assert client.tree.value(1, 0, 2) == 7

    play(scene)
    assert ResourceValue.objects.get(device=device, path="/1/0/1").number == 63


@pytest.mark.parametrize("content_format", [None, 11542, 11543, 110, 112, 11544])
def test_int_215_220_226_233_234_update_and_replace(play, make_device, content_format):
    device = make_device()
    wish = {} if content_format is None else {"content_format": content_format}

    async def scene(southbound):
        async with managed(southbound, version="1.2") as client:
            tree = client.tree
            assert (await order(device, "write", "/1/0", values={"1": 61, "6": True}, **wish)).state == "done"
            assert (tree.value(1, 0, 1), tree.value(1, 0, 0)) == (61, 1)
            kept = {"1": 86400, "6": False, "7": "U"}
            assert (await order(device, "write", "/1/0", values=kept, mode="replace", **wish)).state == "done"
            assert tree.value(1, 0, 6) is False

    play(scene)


def test_int_228_write_a_resource_instance(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound) as client:
            client.tree.set_instance(16, 0, {0: {0: "a", 1: "b"}})
            assert (await order(device, "write", "/16/0/0/1", value="new")).response_code == "2.04"
            assert told(await order(device, "read", "/16/0/0")) == {"/16/0/0/0": "a", "/16/0/0/1": "new"}
            assert (await order(device, "write", "/16/0/0", value={"3": "x"})).response_code == "2.04"
            assert told(await order(device, "read", "/16/0/0")) == {"/16/0/0/3": "x"}

    play(scene)


def test_int_230_257_write_composite(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound) as client:
            client.tree.set_instance(16, 0, {0: {0: "a", 1: "b"}})
            values = {"/1/0/1": 90, "/1/0/6": False, "/16/0/0/0": "one"}
            assert (await order(device, "write-composite", values=values)).response_code == "2.04"
            assert client.tree.value(1, 0, 1) == 90
            assert (await order(device, "write-composite", values={"/16/0/0/1": None})).state == "done"
            assert told(await order(device, "read", "/16/0/0")) == {"/16/0/0/0": "one"}

    play(scene)


def test_int_256_a_write_that_the_device_refuses(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound):
            refused = await order(device, "write", "/1/0/0", value=3, force=True)
            assert (refused.state, refused.response_code) == ("refused", "4.05")

    play(scene)


def test_int_104_241_execute(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound) as client:
            assert (await order(device, "execute", "/1/0/8", arguments="0='now',1")).response_code == "2.04"
            await client.until(lambda: client.counts["updated"] == 1)
            assert (await order(device, "execute", "/3/0/4")).response_code == "2.04"
            await client.until(lambda: client.counts["registered"] == 2 and client.is_registered)

    play(scene)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_int_1630_1635_create_and_delete(play, make_device, version):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound, version=version) as client:
            client.tree.set_instance(16, 0, {0: {0: "a"}})
            made = await order(device, "create", "/16", values={"0/0": "host"})
            assert (made.response_code, made.answer["created"]) == ("2.01", "/16/1")
            assert client.tree.instance(16, 1)[0] == {0: "host"}
            named = await order(device, "create", "/16", instance_id=9, values={"0/2": "named"})
            assert named.response_code == "2.01"
            assert client.tree.instance(16, 9)[0] == {2: "named"}
            assert (await order(device, "create", "/16")).answer["created"] == "/16/2"
            assert (await order(device, "create", "/16", instance_id=12)).response_code == "2.01"
            assert (await order(device, "delete", "/16/9")).response_code == "2.02"
            assert 9 not in client.tree.instance_ids(16)

    play(scene)


def test_int_680_create_that_cannot_be(play, make_device):
    device = make_device()

    async def scene(southbound):
        async with managed(southbound):
            assert (await order(device, "create", "/3", instance_id=1)).response_code == "4.05"
            assert (await order(device, "delete", "/3/0")).response_code == "4.05"

    play(scene)


def test_a_device_without_tlv_gets_the_lowest_free_instance_id():
    links = parse_object_links(b'</>;rt="oma.lwm2m";ct="110 112",</16/0>,</16/2>')
    sent = operations.request("create", Path(16), {"values": {"0/0": "x"}}, Target("1.1", links))
    assert sent.content_format == 112
    assert formats.decode(112, sent.payload, Path(16)) == [Node(Path(16, 1, 0, 0), "x")]


@pytest.mark.parametrize(
    ("offered", "number", "payload"),
    [
        (b"", 11542, b"\x00\x05"),
        (b"110 112 11542", 11542, b"\x00\x05"),
        (b"112 11544", 11544, bytes.fromhex("a1198345a105a0")),
        (b"110 112", 11542, b"\x00\x05"),
    ],
)
def test_an_instance_without_values_is_written_in_a_format_that_can_say_it(offered, number, payload):
    root = b'</>;rt="oma.lwm2m";ct="%s",' % offered if offered else b""
    links = parse_object_links(root + b"</3/0>")
    sent = operations.request("create", Path(33605), {"instance_id": 5, "values": {}}, Target("1.1", links))
    assert (sent.content_format, sent.payload) == (number, payload)
    asked = {"instance_id": 5, "values": {}, "content_format": 112}
    with pytest.raises(Lwm2mError):
        operations.request("create", Path(33605), asked, Target("1.1", links))


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("path", [Path(5, 0, 0), Path(32999, 0, 5, 1)])
def test_bytes_of_one_resource_go_as_they_are(version, path):
    links = parse_object_links(b'</>;rt="oma.lwm2m";ct="60 110 112 11542",</5/0>')
    asked = {"value": {"base64": "AP8="}}
    sent = operations.request("write", path, asked, Target(version, links))
    assert (sent.code, sent.content_format, sent.payload) == (Code.PUT, 42, b"\x00\xff")
    wished = operations.request("write", path, asked | {"content_format": 11542}, Target(version, links))
    assert wished.content_format == 11542
    # A POST on a resource is an Execute to some, and several values need names.
    updated = operations.request("write", path, asked | {"mode": "update"}, Target(version, links))
    assert updated.content_format != 42
    several = {"values": {f"{path.parent}/0": {"base64": ""}, f"{path.parent}/1": {"base64": ""}}}
    assert operations.request("write", path.parent, several, Target(version, links)).content_format != 42


@pytest.mark.parametrize("number", [112, 110, 11543, 11544])
@pytest.mark.parametrize(("version", "root"), [("1.1", ""), ("1.2", ""), ("1.2", "lwm2m")])
def test_names_of_an_end_device_carry_its_prefix(number, version, root):
    head = f'</{root}>;rt="oma.lwm2m",' if root else ""
    links = parse_object_links(f"{head}<{'/' + root if root else ''}/3303/0>".encode())
    target = Target(version, links, core(), "dev0")
    prefix = f"{root}/dev0" if root else "dev0"
    wish = {"content_format": number}
    text = operations.request("write", Path(3303, 0, 5750), wish | {"value": "k"}, target)
    assert text.path == (*((root,) if root else ()), "dev0", "3303", "0", "5750")
    assert formats.decode(number, text.payload, Path(3303, 0, 5750)) == [
        Node(Path(3303, 0, 5750), "k", prefix=prefix)
    ]
    whole = operations.request("write", Path(3303, 0), wish | {"values": {"/3303/0/5750": "k"}}, target)
    assert formats.decode(number, whole.payload, Path(3303, 0)) == [
        Node(Path(3303, 0, 5750), "k", prefix=prefix)
    ]
    made = operations.request(
        "create", Path(3303), wish | {"instance_id": 4, "values": {"/3303/4/5750": "k"}}, target
    )
    assert formats.decode(number, made.payload, Path(3303)) == [Node(Path(3303, 4, 5750), "k", prefix=prefix)]


def test_arguments_of_execute_are_plain_text():
    sent = operations.request("execute", Path(1, 0, 8), {"arguments": "0='now',1"}, Target("1.1", None))
    assert (sent.payload, sent.content_format) == (b"0='now',1", 0)

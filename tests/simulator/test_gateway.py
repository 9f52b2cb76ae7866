"""A simulated M2M gateway: object 25, and every operation on the end devices behind it."""

from __future__ import annotations

import json
import pathlib
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from lwm2m import formats
from lwm2m.codes import Code, ContentFormat
from lwm2m.links import parse_links
from lwm2m.messages import Register, Send, Update
from lwm2m.nodes import Node, ObjectLinkValue
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path
from simulator import assembly, device_file
from simulator.device import Device
from simulator.device_file import Entry
from simulator.gateway import Gateway
from simulator.gateway_children import Child, UnknownKind, numbered
from simulator.nameplate import Firmware
from simulator.objects import ObjectTree
from tests.fakes.devices import running_device
from tests.simulator.peers import Caller, Server, running
from tests.simulator.test_simulate_command import simulate

SENML = ContentFormat.SENML_CBOR


def family() -> list[Child]:
    return [Child("urn:dev:cellar", "climate"), Child("urn:dev:pump", "switch")]


@asynccontextmanager
async def managed(
    children: list[Child] | None = None, **behaviour: object
) -> AsyncIterator[tuple[Server, Device, Caller]]:
    """A gateway with two children that is registered with a server, and the way to ask it."""
    behind = family() if children is None else children
    async with (
        running(Server()) as server,
        running_device("gw-1", server=server.uri, children=behind, **behaviour) as device,
    ):
        await device.until(lambda: device.is_registered)
        yield server, device, server.registered["gw-1"]


def nodes(payload: bytes, content_format: int | None, path: str = "/") -> dict[str, object]:
    found = formats.decode(content_format, payload, Path.parse(path), core())
    return {f"/{node.prefix}{node.path}" if node.prefix else str(node.path): node.value for node in found}


def body(*names: tuple[str, str, object]) -> bytes:
    return formats.encode(SENML, [Node(Path.parse(p), v, None, prefix) for prefix, p, v in names], ROOT)


async def test_register_names_instances_of_25_and_no_object_of_a_child() -> None:
    async with managed() as (server, _, _):
        objects = server.of(Register)[0].object_links.objects
        assert (objects[25].version, objects[25].instances) == ("2.0", (0, 1))
        assert not {3304, 3306} & set(objects)


async def test_object_25_tells_id_prefix_and_objects() -> None:
    async with managed() as (_, _, caller):
        response = await caller.ask(Code.GET, "/25")
        assert nodes(response.payload, response.content_format) == {
            "/25/0/0": "urn:dev:cellar",
            "/25/0/1": "dev0",
            "/25/0/3": "</3/0>,</3303>;ver=1.1,</3303/0>,</3304>;ver=1.1,</3304/0>",
            "/25/1/0": "urn:dev:pump",
            "/25/1/1": "dev1",
            "/25/1/3": "</3/0>,</3306>;ver=1.1,</3306/0>",
        }


async def test_object_25_of_version_1_0_routes_by_object_26() -> None:
    async with managed(gateway_version="1.0") as (server, _, caller):
        objects = server.of(Register)[0].object_links.objects
        assert objects[25].version is None
        assert objects[26].instances
        routing = nodes((await caller.ask(Code.GET, "/26", accept=112)).payload, 112)
        response = await caller.ask(Code.GET, "/25/1", accept=112)
        told = nodes(response.payload, 112, "/25/1")
        links = [link for link in told.values() if isinstance(link, ObjectLinkValue)]
        assert [routing[f"/26/{link.instance_id}/0"] for link in links] == [3, 3306]
        assert (told["/25/1/1"], "/25/1/3" in told) == ("dev1", False)
        assert (await caller.ask(Code.GET, "/dev1/3306/0/5850", accept=0)).code is Code.CONTENT


@pytest.mark.parametrize("root", ["", "lwm2m"])
async def test_every_operation_finds_the_child_by_its_prefix(root: str) -> None:
    async with managed(root_path=root) as (_, device, caller):
        base = f"/{root}" if root else ""
        cellar, pump = (device.gateway.child(prefix) for prefix in ("dev0", "dev1"))
        own = await caller.ask(Code.GET, f"{base}/3/0/2", accept=0)
        assert own.payload == b"gw-1"
        response = await caller.ask(Code.GET, f"{base}/dev0/3/0/2", accept=0)
        assert response.payload == b"urn:dev:cellar"
        response = await caller.ask(Code.PUT, f"{base}/dev1/3306/0/5850", content_format=0, payload=b"1")
        assert (response.code, pump.tree.value(3306, 0, 5850)) == (Code.CHANGED, True)
        response = await caller.ask(Code.POST, f"{base}/dev0/3/0/4")
        assert (response.code, cellar.counts["rebooted"]) == (Code.CHANGED, 1)
        assert (await caller.ask(Code.PUT, f"{base}/dev0/3303/0/5700?pmin=5")).code is Code.CHANGED
        links = parse_links((await caller.ask(Code.GET, f"{base}/dev0/3303/0", accept=40)).payload)
        assert links[0].target == "/3303/0"
        assert {link.target: link.attribute("pmin") for link in links}["/3303/0/5700"] == "5"
        created = await caller.ask(
            Code.POST, f"{base}/dev1/3306", content_format=112, payload=body(("", "/3306/4/5850", True))
        )
        assert (created.code, pump.tree.instance_ids(3306)) == (Code.CREATED, [0, 4])
        assert (await caller.ask(Code.DELETE, f"{base}/dev1/3306/4")).code is Code.DELETED


@pytest.mark.parametrize(
    ("code", "path", "expected"),
    [
        (Code.GET, "/dev7/3/0", Code.NOT_FOUND),
        (Code.GET, "/dev0/3306/0", Code.NOT_FOUND),
        (Code.GET, "/dev0/0", Code.UNAUTHORIZED),
        (Code.GET, "/dev0/dev1/3/0", Code.BAD_REQUEST),
        (Code.GET, "/dev0", Code.METHOD_NOT_ALLOWED),
        (Code.DELETE, "/25/0", Code.METHOD_NOT_ALLOWED),
        (Code.DELETE, "/dev0/3/0", Code.METHOD_NOT_ALLOWED),
        (Code.POST, "/25", Code.METHOD_NOT_ALLOWED),
        (Code.PUT, "/25/0/1", Code.METHOD_NOT_ALLOWED),
    ],
)
async def test_refuses_with_the_code_of_the_reason(code: Code, path: str, expected: Code) -> None:
    what = {"content_format": 112, "payload": body(("", "/25/9/1", "x"))} if code == Code.POST else {}
    what = {"content_format": 0, "payload": b"x"} if code == Code.PUT else what
    async with managed() as (_, _, caller):
        assert (await caller.ask(code, path, **what)).code is expected


@pytest.mark.parametrize("content_format", [110, 112, 11544])
async def test_one_composite_mixes_gateway_and_children(content_format: int) -> None:
    async with managed(version="1.2") as (_, _device, caller):
        asked = [Node(Path(3, 0, 2)), Node(Path(3, 0, 2), prefix="dev0"), Node(Path(3303, 0), prefix="dev0")]
        asked += [Node(Path(3306, 0, 5850), prefix="dev1"), Node(Path(3, 0), prefix="gone")]
        payload = formats.encode(content_format, asked, ROOT)
        response = await caller.ask(Code.FETCH, content_format=content_format, payload=payload)
        told = nodes(response.payload, content_format)
        assert (told["/3/0/2"], told["/dev0/3/0/2"]) == ("gw-1", "urn:dev:cellar")
        assert {"/dev0/3303/0/5700", "/dev1/3306/0/5850"} <= set(told)
        assert not any(name.startswith("/gone") for name in told)


async def test_a_mixed_write_is_done_whole_or_not_at_all() -> None:
    async with managed() as (_, device, caller):
        pump = device.gateway.child("dev1")
        before = pump.tree.value(3306, 0, 5850)
        wrong = body(("dev1", "/3306/0/5850", not before), ("dev0", "/3306/0/5850", True))
        response = await caller.ask(Code.IPATCH, content_format=112, payload=wrong)
        assert (response.code, pump.tree.value(3306, 0, 5850)) == (Code.NOT_FOUND, before)
        right = body(("dev1", "/3306/0/5850", not before), ("", "/3/0/15", "Europe/Kyiv"))
        response = await caller.ask(Code.IPATCH, content_format=112, payload=right)
        assert (response.code, pump.tree.value(3306, 0, 5850)) == (Code.CHANGED, not before)
        assert device.tree.value(3, 0, 15) == "Europe/Kyiv"


async def test_notifies_for_the_child_that_was_observed() -> None:
    async with managed() as (server, device, _):
        pump = device.gateway.child("dev1")
        token, response = await server.observe("gw-1", "/dev1/3306/0/5850", accept=0)
        other, _ = await server.observe("gw-1", "/3/0/15", accept=0)
        was = response.payload
        pump.tree.set("/3306/0/5850", was == b"0")
        await server.until(lambda: server.observed[token])
        assert server.observed[token][0].payload != was
        assert not server.observed[other]
        assert device.registrations[0].behind.observations_of("dev1") == 1


async def test_notifies_of_a_mixed_composite_when_a_child_changes() -> None:
    async with managed() as (server, device, caller):
        token = server.new_token()
        payload = body(("", "/3/0/15", None), ("dev1", "/3306/0/5850", None))
        await caller.ask(Code.FETCH, token=token, content_format=112, payload=payload, observe=0)
        pump = device.gateway.child("dev1")
        wanted = pump.tree.value(3306, 0, 5850) is False
        pump.tree.set("/3306/0/5850", wanted)
        await server.until(lambda: server.observed[token])
        told = nodes(server.observed[token][0].payload, 112)
        assert told == {"/3/0/15": "Etc/UTC", "/dev1/3306/0/5850": wanted}


async def test_a_child_that_goes_ends_its_observation_and_is_told_by_update_and_notification() -> None:
    async with managed() as (server, device, _):
        of_25, _ = await server.observe("gw-1", "/25", accept=112)
        of_pump, _ = await server.observe("gw-1", "/dev1/3306/0", accept=112)
        device.gateway.remove(device.gateway.child("dev1"))
        await server.until(lambda: server.observed[of_25] and server.observed[of_pump] and server.of(Update))
        assert server.observed[of_pump][0].code is Code.NOT_FOUND
        assert set(nodes(server.observed[of_25][0].payload, 112)) == {"/25/0/0", "/25/0/1", "/25/0/3"}
        assert server.of(Update)[0].object_links.objects[25].instances == (0,)


async def test_a_child_moves_to_another_gateway_with_what_was_written_to_it() -> None:
    async with (
        managed() as (server, device, _),
        running_device("gw-2", server=server.uri, children=[]) as second,
    ):
        await second.until(lambda: second.is_registered)
        pump = device.gateway.child("dev1")
        pump.tree.set("/3306/0/5750", "sump")
        device.gateway.remove(pump)
        second.gateway.add(pump)
        await server.until(lambda: len(server.of(Update)) == 2)
        lists = {server.ids[u.registration_id]: u.object_links.objects[25] for u in server.of(Update)}
        assert {name: link.instances for name, link in lists.items()} == {"gw-1": (0,), "gw-2": (0,)}
        asked = server.registered["gw-2"]
        assert (await asked.ask(Code.GET, "/dev0/3306/0/5750", accept=0)).payload == b"sump"


async def test_a_renamed_child_keeps_its_instance() -> None:
    async with managed() as (server, device, caller):
        token, _ = await server.observe("gw-1", "/25/0/1", accept=0)
        device.gateway.rename(device.gateway.child("dev0"), "cellar")
        await server.until(lambda: server.observed[token])
        assert server.observed[token][0].payload == b"cellar"
        assert (await caller.ask(Code.GET, "/dev0/3/0/2", accept=0)).code is Code.NOT_FOUND
        assert (await caller.ask(Code.GET, "/cellar/3/0/2", accept=0)).payload == b"urn:dev:cellar"


async def test_a_child_reports_before_25_tells_of_it() -> None:
    async with managed() as (server, device, _caller):
        late = Child("urn:dev:late", "hygrometer")
        device.gateway.add(late, is_announced=False)
        await device.send(["/dev2/3304/0/5700", "/3/0/2"], even_if_muted=True)
        sent = server.of(Send)[0]
        assert set(nodes(sent.payload, sent.content_format)) == {"/3/0/2", "/dev2/3304/0/5700"}
        assert device.gateway.instance_of(late) is None
        assert not server.of(Update)
        device.gateway.announce(late)
        await server.until(lambda: server.of(Update))
        assert server.of(Update)[0].object_links.objects[25].instances == (0, 1, 2)


async def test_a_factory_reset_of_the_gateway_keeps_what_it_sees() -> None:
    async with managed() as (server, _device, caller):
        await caller.ask(Code.POST, "/3/0/5")
        await server.until(lambda: len(server.of(Register)) == 2)
        assert server.of(Register)[1].object_links.objects[25].instances == (0, 1)


async def test_a_new_registration_forgets_the_observations_of_children() -> None:
    async with managed() as (server, device, _):
        _token, _ = await server.observe("gw-1", "/dev1/3306/0/5850", accept=0)
        device.registrations[0].register_anew()
        await server.until(lambda: len(server.of(Register)) == 2)
        assert device.registrations[0].behind.observations_of("dev1") == 0


def test_ten_thousand_children_cost_little_until_they_are_asked() -> None:
    tree = ObjectTree()
    tracemalloc.start()
    gateway = Gateway(tree, numbered("gw-1", 10_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 20_000_000
    assert all(child.is_idle for child in gateway.children)
    assert len({child.identifier for child in gateway.children}) == 10_000
    gateway.remove(*gateway.children[:5000])
    gateway.add(Child("urn:dev:new"))
    assert len(tree.instance_ids(25)) == 5001
    assert tree.instance_ids(25)[0] == 0


async def test_a_file_names_the_end_devices_of_a_gateway(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "devices.json"
    rows = [{"endpoint": "gw-1", "server": "coap://127.0.0.1:1", "children": {"urn:dev:cellar": "meter"}}]
    file.write_text(json.dumps(rows))
    device = assembly.device(device_file.load(file)[0], Firmware())
    assert [(child.identifier, child.kind) for child in device.gateway.children] == [
        ("urn:dev:cellar", "meter")
    ]


async def test_the_command_makes_every_device_a_gateway() -> None:
    async with running(Server()) as server:
        process = await simulate("--server", server.uri, "--gateway", "3", "--count", "2", "--quiet")
        try:
            await server.until(lambda: len(server.of(Register)) == 2, seconds=30)
            response = await server.registered["sim-2"].ask(Code.GET, "/25/2/0", accept=0)
        finally:
            process.terminate()
            await process.communicate()
    assert [each.object_links.objects[25].instances for each in server.of(Register)] == [(0, 1, 2)] * 2
    assert response.payload == b"sim-2:2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"children": {"x": "toaster"}}, "no kind of end device"), ({"version": "1.0"}, "takes LwM2M 1.1")],
)
def test_a_gateway_that_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    entry = replace(Entry("gw-1", server="coap://127.0.0.1:1", children={"x": "meter"}), **changes)
    with pytest.raises(assembly.BadDevice, match=words):
        assembly.check(entry, Firmware())


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UnknownKind, match="thermometer"):
        Child("x", "toaster")

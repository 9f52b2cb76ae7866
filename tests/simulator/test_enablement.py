"""What a server may do to a registered device, operation by operation (OMA cases 201 to 290)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lwm2m import formats
from lwm2m.codes import Code, ContentFormat
from lwm2m.links import parse_links
from lwm2m.messages import Deregister, Register, Send, Update
from lwm2m.nodes import Node
from lwm2m.objects import core
from lwm2m.paths import ROOT, Path
from simulator.answers import NoAnswer
from simulator.device import Device, Muted
from simulator.faults import Faults
from tests.fakes.devices import running_device
from tests.simulator.peers import TUNING, Caller, Server, running


@asynccontextmanager
async def managed(**behaviour: object) -> AsyncIterator[tuple[Server, Device, Caller]]:
    """A device that is registered with a server, and the way to ask it."""
    async with running(Server()) as server, running_device("dev-1", server=server.uri, **behaviour) as device:
        await device.until(lambda: device.is_registered)
        yield server, device, server.registered["dev-1"]


def values(payload: bytes, content_format: int | None, path: str) -> dict[str, object]:
    nodes = formats.decode(content_format, payload, Path.parse(path), core())
    return {str(node.path): node.value for node in nodes}


@pytest.mark.parametrize("accept", [110, 112, 11542, 11543])
async def test_reads_an_instance_in_every_format_int_203_204_231_232(accept: int) -> None:
    async with managed() as (_, _, caller):
        response = await caller.ask(Code.GET, "/3/0", accept=accept)
        assert (response.code, response.content_format) == (Code.CONTENT, accept)
        assert values(response.payload, accept, "/3/0")["/3/0/7/1"] == 5000


@pytest.mark.parametrize(
    ("accept", "payload"), [(0, b"Virtual Devices"), (60, b"oVirtual Devices"), (None, None)]
)
async def test_reads_a_resource_int_201_211_237(accept: int | None, payload: bytes | None) -> None:
    async with managed() as (_, _, caller):
        response = await caller.ask(Code.GET, "/3/0/0", accept=accept)
        if payload is not None:
            assert response.payload == payload
        assert values(response.payload, response.content_format, "/3/0/0") == {"/3/0/0": "Virtual Devices"}


async def test_without_accept_a_1_0_device_answers_tlv() -> None:
    async with managed(version="1.0") as (_, _, caller):
        response = await caller.ask(Code.GET, "/3/0")
        assert response.content_format == ContentFormat.TLV
        assert (await caller.ask(Code.GET, "/3/0", accept=112)).code is Code.NOT_ACCEPTABLE
        composite = await caller.ask(Code.FETCH, "/", content_format=112, payload=b"\x80")
        assert composite.code is Code.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(
    ("code", "path", "what", "expected"),
    [
        (Code.GET, "/0", {}, Code.UNAUTHORIZED),
        (Code.PUT, "/0/0/0", {"content_format": 0, "payload": b"x"}, Code.UNAUTHORIZED),
        (Code.GET, "/9999", {}, Code.NOT_FOUND),
        (Code.GET, "/3/1", {}, Code.NOT_FOUND),
        (Code.GET, "/3/0/4", {}, Code.METHOD_NOT_ALLOWED),
        (Code.GET, "/3/0", {"accept": 0}, Code.NOT_ACCEPTABLE),
        (Code.GET, "/3/0", {"accept": 9999}, Code.NOT_ACCEPTABLE),
        (Code.GET, "/three", {}, Code.BAD_REQUEST),
        (Code.PUT, "/1/0/0", {"content_format": 0, "payload": b"7"}, Code.METHOD_NOT_ALLOWED),
        (Code.PUT, "/1/0/1", {"content_format": 0, "payload": b"soon"}, Code.BAD_REQUEST),
        (Code.PUT, "/1/0/1", {"content_format": 9999, "payload": b"7"}, Code.UNSUPPORTED_CONTENT_FORMAT),
        (Code.POST, "/3", {"content_format": 11542, "payload": b""}, Code.METHOD_NOT_ALLOWED),
        (Code.DELETE, "/3/0", {}, Code.METHOD_NOT_ALLOWED),
        (Code.DELETE, "/3303/7", {}, Code.NOT_FOUND),
        (Code.POST, "/3/0/0", {}, Code.METHOD_NOT_ALLOWED),
        (Code.POST, "/3/9/4", {}, Code.NOT_FOUND),
        (Code.PUT, "/3/0/9?gt=5&lt=6", {}, Code.BAD_REQUEST),
        (Code.PUT, "/3/0/9?speed=5", {}, Code.BAD_REQUEST),
    ],
)
async def test_refuses_with_the_right_code_int_221_256_680_685(
    code: Code, path: str, what: dict, expected: Code
) -> None:
    async with managed() as (_, _, caller):
        assert (await caller.ask(code, path, **what)).code is expected


async def test_writes_and_reads_back_int_205() -> None:
    async with managed() as (_, _, caller):
        written = await caller.ask(Code.PUT, "/1/0/2", content_format=0, payload=b"101")
        assert written.code is Code.CHANGED
        assert (await caller.ask(Code.GET, "/1/0/2", accept=0)).payload == b"101"


async def test_partial_update_and_replace_in_tlv_int_215() -> None:
    async with managed() as (_, device, caller):
        partial = bytes.fromhex("C10265 C20303F2 C20507D0 C10601 C10755")
        assert (
            await caller.ask(Code.POST, "/1/0", content_format=11542, payload=partial)
        ).code is Code.CHANGED
        assert [device.tree.value(1, 0, each) for each in (0, 1, 2, 3)] == [1, 86_400, 101, 1010]
        replacing = bytes.fromhex("C1010A C10601 C10755")
        assert (
            await caller.ask(Code.PUT, "/1/0", content_format=11542, payload=replacing)
        ).code is Code.CHANGED
        assert [device.tree.value(1, 0, each) for each in (0, 1, 2, 3)] == [1, 10, None, None]


async def test_a_new_lifetime_goes_out_with_an_update_int_107() -> None:
    async with managed() as (server, device, caller):
        await caller.ask(Code.PUT, "/1/0/1", content_format=0, payload=b"120")
        await device.until(lambda: device.counts["updated"] == 1)
        assert server.of(Update) == [Update("1", lifetime_seconds=120)]


async def test_update_trigger_int_104() -> None:
    async with managed() as (server, device, caller):
        assert (await caller.ask(Code.POST, "/1/0/8")).code is Code.CHANGED
        await device.until(lambda: device.counts["updated"] == 1)
        assert server.of(Update) == [Update("1")]


async def test_disable_deregisters_and_comes_back_int_103() -> None:
    async with managed() as (server, device, caller):
        await caller.ask(Code.PUT, "/1/0/5", content_format=0, payload=b"0")
        assert (await caller.ask(Code.POST, "/1/0/4")).code is Code.CHANGED
        await device.until(lambda: device.counts["registered"] == 2)
        assert server.of(Deregister) == [Deregister("1")]


async def test_reboot_registers_anew_from_another_port_without_goodbye_int_241() -> None:
    async with managed() as (server, device, caller):
        assert (await caller.ask(Code.POST, "/3/0/4")).code is Code.CHANGED
        await device.until(lambda: device.counts["registered"] == 2)
        assert not server.of(Deregister)
        assert server.registered["dev-1"].address != caller.address


async def test_discover_shows_attributes_and_dimensions_int_260() -> None:
    async with managed() as (_, _, caller):
        assert (await caller.ask(Code.PUT, "/3/0/7?pmin=5&pmax=60")).code is Code.CHANGED
        response = await caller.ask(Code.GET, "/3/0", accept=40)
        links = {link.target: dict(link.attributes) for link in parse_links(response.payload)}
        assert links["/3/0/7"] == {"dim": "2", "pmin": "5", "pmax": "60"}
        assert "/3/0/4" in links
        await caller.ask(Code.PUT, "/3/0/7?pmin")
        response = await caller.ask(Code.GET, "/3/0/7", accept=40)
        assert response.payload == b"</3/0/7>;dim=2;pmax=60"


async def test_creates_and_deletes_an_instance_and_tells_the_server_int_1630_1635() -> None:
    async with managed() as (server, device, caller):
        payload = formats.encode(11542, [Node(Path(3303, 1, 5750), "attic")], Path(3303, 1))
        created = await caller.ask(Code.POST, "/3303", content_format=11542, payload=payload)
        assert (created.code, created.location) == (Code.CREATED, ("3303", "1"))
        await device.until(lambda: device.counts["updated"] == 1)
        assert server.of(Update)[0].object_links.objects[3303].instances == (0, 1)
        assert (await caller.ask(Code.DELETE, "/3303/1")).code is Code.DELETED
        assert (await caller.ask(Code.GET, "/3303/1")).code is Code.NOT_FOUND


async def test_reads_composite_and_leaves_out_what_is_absent_int_235_236_281() -> None:
    async with managed() as (_, _, caller):
        paths = [Node(Path.parse(text)) for text in ("/3/0/0", "/1/0/8", "/4/0/99", "/0/0/5")]
        asked = formats.encode(112, paths, ROOT)
        response = await caller.ask(Code.FETCH, "/", content_format=112, payload=asked)
        assert values(response.payload, response.content_format, "/") == {"/3/0/0": "Virtual Devices"}


async def test_writes_composite_or_nothing_int_230_257() -> None:
    async with managed() as (_, device, caller):
        good = formats.encode(112, [Node(Path(1, 0, 2), 9), Node(Path(3, 0, 14), "+01:00")], ROOT)
        assert (await caller.ask(Code.IPATCH, "/", content_format=112, payload=good)).code is Code.CHANGED
        assert (device.tree.value(1, 0, 2), device.tree.value(3, 0, 14)) == (9, "+01:00")
        bad = formats.encode(112, [Node(Path(1, 0, 2), 1), Node(Path(3, 0, 0), "me")], ROOT)
        refused = await caller.ask(Code.IPATCH, "/", content_format=112, payload=bad)
        assert refused.code is Code.METHOD_NOT_ALLOWED
        assert device.tree.value(1, 0, 2) == 9


async def test_sends_values_unasked_once_it_may_int_306_307() -> None:
    async with managed() as (server, device, caller):
        with pytest.raises(Muted):
            await device.send(["/3/0/9"])
        await caller.ask(Code.PUT, "/1/0/23", content_format=0, payload=b"0")
        assert (await device.send(["/3303/0/5700", "/3/0/9"])).code is Code.CHANGED
        (sent,) = server.of(Send)
        assert set(values(sent.payload, sent.content_format, "/")) == {"/3303/0/5700", "/3/0/9"}


async def test_large_requests_and_answers_go_in_blocks() -> None:
    async with managed() as (_, device, caller):
        long = "x" * 3000
        payload = formats.encode(112, [Node(Path(3, 0, 15), long)], Path(3, 0, 15))
        written = await caller.ask(Code.PUT, "/3/0/15", content_format=112, payload=payload)
        assert written.code is Code.CHANGED
        assert device.tree.value(3, 0, 15) == long
        assert (await caller.ask(Code.GET, "/3/0/15", accept=0)).payload == long.encode()
        assert caller.largest <= 1100


async def test_a_slow_device_acknowledges_first_and_answers_later() -> None:
    async with managed(faults=Faults(slow_seconds=0.1)) as (_, _, caller):
        assert (await caller.ask(Code.GET, "/3/0/0", accept=0)).payload == b"Virtual Devices"


async def test_garbled_answers_are_not_what_they_say() -> None:
    async with managed(faults=Faults(garbled=True)) as (_, _, caller):
        response = await caller.ask(Code.GET, "/3/0", accept=112)
        assert response.code is Code.CONTENT
        assert response.payload[:3] == b"\xff\x00\xff"


async def test_a_duplicate_is_answered_but_not_served_twice() -> None:
    async with managed() as (server, device, caller):
        server.lose_answers = True
        with pytest.raises(NoAnswer):  # each repetition is the same message
            await caller.ask(Code.POST, "/1/0/8")
        server.lose_answers = False
        await device.until(lambda: device.counts["updated"] == 1)
        assert len(set(server.lost)) == 1
        assert len(server.lost) == 1 + TUNING.max_retransmit
        await caller.ask(Code.POST, "/1/0/8")
        await device.until(lambda: device.counts["updated"] == 2)
        assert len(server.of(Update)) == 2


async def test_registers_with_a_long_object_list_in_blocks() -> None:
    async with running(Server()) as server, running_device("dev-1", server=server.uri) as device:
        await device.until(lambda: device.is_registered)
        for number in range(200):
            device.tree.set_instance(3303, number, {5700: 1.0})
        await device.until(lambda: device.counts["updated"] >= 1)
        assert server.of(Register)[0].object_links.objects[3303].instances == (0,)
        assert server.of(Update)[-1].object_links.objects[3303].instances == tuple(range(200))

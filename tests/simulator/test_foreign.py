"""A device on aiocoap's stack: the same device, whoever's messages carry what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lwm2m.codes import Code
from lwm2m.messages import Deregister, Register, Update
from simulator.device import Device
from tests.fakes.devices import running_device
from tests.fakes.waiting import eventually
from tests.simulator.peers import BootstrapServer, Server, running
from tests.simulator.test_bootstrap import FINISH, account


def foreign(server: str, **what: object):
    return running_device("foreign-1", server=server, stack="aiocoap", **what)


async def registered(device: Device) -> None:
    await device.until(lambda: device.is_registered, seconds=30)


async def test_registers_is_read_written_and_executed_and_signs_off() -> None:
    async with running(Server()) as server, foreign(server.uri) as device:
        await registered(device)
        (register,) = server.of(Register)
        assert (register.endpoint, register.version) == ("foreign-1", "1.1")
        caller = server.registered["foreign-1"]
        read = await caller.ask(Code.GET, "/3/0/0", accept=0)
        assert (read.code, read.payload) == (Code.CONTENT, b"Virtual Devices")
        assert (await caller.ask(Code.GET, "/3/0/99", accept=0)).code == Code.NOT_FOUND
        assert (await caller.ask(Code.PUT, "/1/0/1", content_format=0, payload=b"77")).code == Code.CHANGED
        await server.until(lambda: Update("1", lifetime_seconds=77) in server.of(Update))
        assert (await caller.ask(Code.POST, "/1/0/8")).code == Code.CHANGED
        await server.until(lambda: len(server.of(Update)) == 2)
        await device.stop(deregister=True)
        assert server.of(Deregister) == [Deregister("1")]


async def test_long_values_and_object_lists_go_in_blocks_both_ways() -> None:
    async with running(Server()) as server, foreign(server.uri) as device:
        await registered(device)
        caller = server.registered["foreign-1"]
        long = "y" * 5000
        answer = await caller.ask(Code.PUT, "/3/0/15", content_format=0, payload=long.encode())
        assert answer.code == Code.CHANGED
        assert device.tree.value(3, 0, 15) == long
        for number in range(300):
            device.tree.set_instance(3303, number, {5700: 1.0})
        await server.until(
            lambda: any(m.object_links and len(m.object_links.paths()) > 300 for m in server.of(Update))
        )


async def test_is_observed_until_the_server_resets_a_notification() -> None:
    async with running(Server()) as server, foreign(server.uri) as device:
        await registered(device)
        token, first = await server.observe("foreign-1", "/3/0/15", accept=0)
        assert first.payload == b"Etc/UTC"
        device.tree.set("/3/0/15", "Europe/Berlin")
        await server.until(lambda: bool(server.observed[token]))
        assert server.observed[token][-1].payload == b"Europe/Berlin"
        server.reset_notifications = True
        device.tree.set("/3/0/15", "Europe/Oslo")
        await eventually(lambda: len(device.registrations[0].observations) == 0)


async def test_asks_again_until_the_server_is_there_and_registers_anew_when_forgotten() -> None:
    async with running(Server()) as server:
        server.codes[Register] = Code.FORBIDDEN
        async with foreign(server.uri, retry_seconds=0.05) as device:
            await device.until(lambda: device.counts["refused"] >= 2, seconds=30)
            server.codes.clear()
            await registered(device)
            server.ids.clear()
            device.registrations[0].wish_update()
            await device.until(lambda: device.counts["registered"] == 2, seconds=30)


async def test_a_new_port_is_a_new_address_with_the_same_registration() -> None:
    async with running(Server()) as server, foreign(server.uri) as device:
        await registered(device)
        before = server.registered["foreign-1"].address
        device.rebind()
        await device.update()
        assert server.registered["foreign-1"].address != before


async def test_bootstraps() -> None:
    async with running(Server()) as server, running(BootstrapServer([])) as bootstrap:
        bootstrap.script = [*account(server.uri), FINISH]
        async with running_device("foreign-1", bootstrap=bootstrap.uri, stack="aiocoap") as device:
            await registered(device)
            assert device.counts["bootstrapped"] == 1


@pytest.mark.parametrize(
    "row",
    [
        {"server": "coap://127.0.0.1:1", "queue_mode": True},
        {"server": "coaps://127.0.0.1:1", "identity": "one", "key_hex": "00" * 16},
    ],
)
def test_what_it_cannot_do_is_said(row: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "devices.json"
    file.write_text(json.dumps([{"endpoint": "one", "stack": "aiocoap", **row}]))
    with pytest.raises(CommandError, match="one speaks aiocoap"):
        call_command("simulate", "--devices", str(file))


def test_a_stack_that_nobody_wrote(tmp_path: Path) -> None:
    file = tmp_path / "devices.json"
    file.write_text(json.dumps([{"endpoint": "one", "server": "coap://127.0.0.1:1", "stack": "californium"}]))
    with pytest.raises(CommandError, match="must be one of coap, aiocoap"):
        call_command("simulate", "--devices", str(file))

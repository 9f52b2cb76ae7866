"""The device registers, stays registered and says good-bye, against a server on loopback."""

from __future__ import annotations

from lwm2m.codes import Code
from lwm2m.messages import Deregister, Register, Update
from tests.fakes.devices import running_device
from tests.simulator.peers import Server, running


async def test_registers_with_all_that_a_server_wants_to_know_int_101() -> None:
    async with running(Server()) as server, running_device("dev-1", server=server.uri) as device:
        await device.until(lambda: device.is_registered)
        (register,) = server.of(Register)
        assert (register.endpoint, register.version, register.binding) == ("dev-1", "1.1", "U")
        assert register.lifetime_seconds == 86_400
        assert sorted(register.object_links.objects) == [1, 3, 4, 3303]
        assert register.object_links.content_formats == (60, 110, 112, 11542, 11543)


async def test_updates_before_the_lifetime_ends_int_102() -> None:
    async with running(Server()) as server:
        async with running_device("dev-1", server=server.uri, lifetime_seconds=1) as device:
            await device.until(lambda: device.counts["updated"] >= 2)
        assert server.of(Update)[0] == Update("1")
        assert len(server.of(Register)) == 1


async def test_forgotten_by_the_server_registers_anew_int_105() -> None:
    async with running(Server()) as server, running_device("dev-1", server=server.uri) as device:
        await device.until(lambda: device.is_registered)
        server.ids.clear()
        device.registrations[0].wish_update()
        await device.until(lambda: device.counts["registered"] == 2)
        assert server.of(Register)[1].endpoint == "dev-1"


async def test_deregisters_when_asked_to() -> None:
    async with running(Server()) as server, running_device("dev-1", server=server.uri) as device:
        await device.until(lambda: device.is_registered)
        await device.stop(deregister=True)
        assert server.of(Deregister) == [Deregister("1")]


async def test_a_1_0_device_writes_queue_mode_into_its_binding() -> None:
    async with running(Server()) as server:
        what = {"version": "1.0", "queue_mode": True}
        async with running_device("old", server=server.uri, **what) as device:
            await device.until(lambda: device.is_registered)
        (register,) = server.of(Register)
        assert (register.version, register.binding, register.queue_mode) == ("1.0", "U", True)
        assert register.object_links.content_formats == ()


async def test_a_refused_device_tries_again_and_gets_in() -> None:
    async with running(Server()) as server:
        server.codes[Register] = Code.FORBIDDEN
        async with running_device("dev-1", server=server.uri, retry_seconds=0.05) as device:
            await device.until(lambda: device.counts["refused"] >= 2)
            server.codes.clear()
            await device.until(lambda: device.is_registered)


async def test_registers_under_an_alternate_path() -> None:
    what = {"root_path": "lwm2m"}
    async with running(Server()) as server, running_device("dev-1", server=server.uri, **what) as device:
        await device.until(lambda: device.is_registered)
        caller = server.registered["dev-1"]
        assert server.of(Register)[0].object_links.root_path == "lwm2m"
        assert (await caller.ask(Code.GET, "/3/0/0", accept=0)).code is Code.NOT_FOUND
        assert (await caller.ask(Code.GET, "/lwm2m/3/0/0", accept=0)).payload == b"Virtual Devices"

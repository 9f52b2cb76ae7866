"""Observe and Notify: when a device speaks, and when it stops (OMA cases 301 to 313)."""

from __future__ import annotations

import asyncio

from lwm2m import formats
from lwm2m.codes import Code
from lwm2m.messages import Response
from lwm2m.nodes import Node
from lwm2m.paths import ROOT, Path
from tests.fakes.waiting import eventually
from tests.simulator.test_enablement import managed, values


def texts(responses: list[Response]) -> list[bytes]:
    return [response.payload for response in responses]


async def test_notifies_of_a_change_int_301() -> None:
    async with managed() as (server, device, _):
        token, first = await server.observe("dev-1", "/3/0/9", accept=0)
        assert first.code is Code.CONTENT
        device.tree.set("/3/0/9", 7)
        await server.until(lambda: texts(server.observed[token]) == [b"7"])


async def test_a_value_that_stays_the_same_is_no_news() -> None:
    async with managed() as (server, device, _):
        token, first = await server.observe("dev-1", "/3/0/9", accept=0)
        device.tree.set("/3/0/9", int(first.payload))
        device.tree.set("/3/0/9", 3)
        await server.until(lambda: texts(server.observed[token]) == [b"3"])


async def test_pmin_holds_changes_back_and_the_last_one_counts() -> None:
    async with managed() as (server, device, caller):
        await caller.ask(Code.PUT, "/3/0/9?pmin=1")
        token, _ = await server.observe("dev-1", "/3/0/9", accept=0)
        began = asyncio.get_running_loop().time()
        for level in (5, 6, 7):
            device.tree.set("/3/0/9", level)
        await server.until(lambda: texts(server.observed[token]) == [b"7"])
        assert asyncio.get_running_loop().time() - began >= 0.9


async def test_pmax_speaks_without_a_change() -> None:
    async with managed() as (server, _, caller):
        await caller.ask(Code.PUT, "/3/0/9?pmax=1")
        token, first = await server.observe("dev-1", "/3/0/9", accept=0)
        await server.until(lambda: texts(server.observed[token]) == [first.payload])


async def test_thresholds_and_steps() -> None:
    async with managed() as (server, device, caller):
        device.tree.set("/3/0/9", 50)
        await caller.ask(Code.PUT, "/3/0/9?gt=80&lt=20&st=25")
        token, _ = await server.observe("dev-1", "/3/0/9", accept=0)
        for level in (55, 60, 85, 75, 70, 45, 40, 15):
            device.tree.set("/3/0/9", level)
        await server.until(lambda: texts(server.observed[token]) == [b"85", b"75", b"45", b"15"])


async def test_a_reset_ends_an_observation_int_302() -> None:
    async with managed() as (server, device, _):
        server.reset_notifications = True
        token, _ = await server.observe("dev-1", "/3/0/9", accept=0)
        observations = device.registrations[0].observations
        assert len(observations) == 1
        device.tree.set("/3/0/9", 7)
        await server.until(lambda: len(server.observed[token]) == 1)
        await eventually(lambda: len(observations) == 0)


async def test_observe_1_with_the_same_token_ends_it_int_303() -> None:
    async with managed() as (server, device, caller):
        token, _ = await server.observe("dev-1", "/3/0/9", accept=0)
        await caller.ask(Code.GET, "/3/0/9", token=token, observe=1, accept=0)
        assert len(device.registrations[0].observations) == 0


async def test_a_deleted_instance_ends_its_observation_with_4_04() -> None:
    async with managed() as (server, device, caller):
        device.tree.set_instance(3303, 1, {5700: 1.0})
        token, _ = await server.observe("dev-1", "/3303/1")
        await caller.ask(Code.DELETE, "/3303/1")
        await server.until(lambda: [each.code for each in server.observed[token]] == [Code.NOT_FOUND])
        assert len(device.registrations[0].observations) == 0


async def test_composite_observation_int_304() -> None:
    async with managed() as (server, device, caller):
        asked = formats.encode(112, [Node(Path(3, 0, 9)), Node(Path(1, 0, 1))], ROOT)
        token = server.new_token()
        await caller.ask(Code.FETCH, "/", token=token, content_format=112, payload=asked, observe=0)
        device.tree.set("/3/0/9", 7)
        await server.until(lambda: len(server.observed[token]) == 1)
        (notification,) = server.observed[token]
        assert values(notification.payload, 112, "/") == {"/1/0/1": 86_400, "/3/0/9": 7}


async def test_a_new_registration_forgets_the_observations_of_the_old() -> None:
    async with managed() as (server, device, _):
        await server.observe("dev-1", "/3/0/9")
        server.ids.clear()
        device.registrations[0].wish_update()
        await device.until(lambda: device.counts["registered"] == 2)
        assert len(device.registrations[0].observations) == 0


async def test_a_sensor_is_looked_at_while_it_is_observed() -> None:
    async with managed() as (server, device, _):
        from simulator.objects import Sensor

        readings = iter(range(1000))
        device.tree.set("/3303/0/5700", Sensor(lambda: float(next(readings))))
        token, _ = await server.observe("dev-1", "/3303/0/5700", accept=0)
        await server.until(lambda: len(server.observed[token]) >= 1)

"""Queue mode: the radio goes off, what arrives then is lost, and the next Update switches it on again."""

from __future__ import annotations

import pytest

from lwm2m.codes import Code
from lwm2m.messages import Register
from simulator.answers import NoAnswer
from tests.fakes.waiting import eventually
from tests.simulator.test_enablement import managed


async def test_hears_nothing_while_asleep_int_108_109() -> None:
    async with managed(queue_mode=True, awake_seconds=0.1) as (server, device, caller):
        assert server.of(Register)[0].queue_mode
        connection = device.registrations[0].connection
        await eventually(lambda: not connection.is_awake)
        with pytest.raises(NoAnswer):
            await caller.ask(Code.GET, "/3/0/0", accept=0)
        await device.update()
        assert (await caller.ask(Code.GET, "/3/0/0", accept=0)).payload == b"Virtual Devices"


async def test_a_request_keeps_it_awake() -> None:
    async with managed(queue_mode=True, awake_seconds=30.0) as (_, device, caller):
        before = device.registrations[0].connection.awake_until
        await caller.ask(Code.GET, "/3/0/0")
        after = device.registrations[0].connection.awake_until
        assert before is not None
        assert after is not None
        assert after > before


async def test_a_device_without_queue_mode_never_sleeps() -> None:
    async with managed(awake_seconds=0.01) as (_, device, _caller):
        assert device.registrations[0].connection.awake_until is None

"""A device that has nothing but SMS, and one that is woken by it, against servers behind a loopback SMSC."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lwm2m.codes import Code, ContentFormat
from lwm2m.messages import BootstrapRequest, Deregister, Register, Request, Send, Update
from simulator.device import Device
from simulator.modem import Sim
from simulator.nameplate import SMS_TUNING, Firmware, SmsManners
from simulator.smsc import Smsc
from simulator.smsc_faults import SmscFaults
from smpp import part_of
from tests.fakes.devices import running_device
from tests.fakes.waiting import eventually
from tests.simulator.peers import BootstrapServer, Caller, Server, running
from tests.simulator.sms import SmsServer, smsc
from tests.simulator.test_bootstrap import FINISH, codes, put

NUMBER, BOOTSTRAP_NUMBER, DEVICE = "+491700000001", "+491700000002", "+491711234567"


def sim(at: Smsc) -> Sim:
    return Sim(DEVICE, port=at.port)


@asynccontextmanager
async def managed(
    *, faults: SmscFaults | None = None, number: str = NUMBER, **what: Any
) -> AsyncIterator[tuple[Smsc, SmsServer, Server, Device, Caller]]:
    """A registered device and the server that it is registered with, both on SMS alone."""
    async with smsc(faults=faults) as switch:
        by_sms = SmsServer(Server(), number)
        async with (
            by_sms.at(switch) as server,
            running_device("meter", server=server.uri, sim=sim(switch), **{"binding": "S", **what}) as device,
        ):
            await device.until(lambda: device.is_registered)
            yield switch, by_sms, server, device, server.registered["meter"]


# -- registration ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "queue_mode", "query"),
    [("1.0", False, "b=S"), ("1.0", True, "b=SQ"), ("1.1", False, "b=S"), ("1.1", True, "b=S Q")],
)
async def test_registers_updates_and_leaves_by_sms(version: str, queue_mode: bool, query: str) -> None:
    async with managed(version=version, queue_mode=queue_mode) as (_, by_sms, server, device, _caller):
        register = server.of(Register)[0]
        assert register.endpoint == "meter"
        assert register.sms_number == DEVICE.removeprefix("+")
        assert (register.binding, register.queue_mode) == ("S", queue_mode)
        for option in query.split():
            assert option.encode() in by_sms.payloads[0]
        await device.update()
        await device.stop(deregister=True)
        await eventually(lambda: server.of(Deregister))
        assert len(server.of(Update)) == 1


async def test_registers_from_a_short_code_of_the_operator() -> None:
    async with managed(number="2772") as (_, _by_sms, server, _device, _caller):
        assert server.of(Register)
        assert server.uri == "tel:2772"


async def test_every_sms_is_8_bit_binary_to_the_ports_of_coap_and_fits() -> None:
    async with managed() as (_, by_sms, _server, device, caller):
        await caller.ask(Code.GET, "/3/0")
        bodies = by_sms.esme.received
        assert all(body.data_coding == 4 for body in bodies)
        assert all(len(body.short_message) <= 140 for body in bodies)  # type: ignore[union-attr]
        ports = {part_of(body).ports for body in bodies}
        assert [(each.destination, each.source) for each in ports if each] == [(5683, 5683)]
        assert device.modem is not None
        assert device.modem.counts["sent"] == len(bodies)


# -- operations ------------------------------------------------------------------------------------------------


async def test_answers_every_operation_by_sms() -> None:
    async with managed() as (_, _by_sms, _server, device, caller):
        text = int(ContentFormat.TEXT)
        assert (await caller.ask(Code.GET, "/3/0/0", accept=text)).payload == b"Virtual Devices"
        written = await caller.ask(Code.PUT, "/3/0/14", payload=b"+02:00", content_format=text)
        assert written.code == Code.CHANGED
        assert device.tree.value(3, 0, 14) == "+02:00"
        assert (await caller.ask(Code.POST, "/3/0/12")).code == Code.CHANGED
        assert (await caller.ask(Code.GET, "/3/0", accept=40)).code == Code.CONTENT
        assert (await caller.ask(Code.PUT, "/3/0/9?pmin=1")).code == Code.CHANGED
        assert (await caller.ask(Code.GET, "/9999")).code == Code.NOT_FOUND


async def test_a_large_answer_comes_in_blocks_that_fit_one_sms_each() -> None:
    async with managed() as (_, by_sms, _server, _device, caller):
        before = len(by_sms.esme.received)
        whole = await caller.ask(Code.GET, "/3/0")
        blocks = math.ceil(len(whole.payload) / 64)
        bodies = by_sms.esme.received[before:]
        assert [part_of(body).concat for body in bodies] == [None] * blocks


async def test_observes_and_notifies_by_sms() -> None:
    async with managed() as (_, _by_sms, server, device, _caller):
        token, first = await server.observe("meter", "/3303/0/5601", accept=int(ContentFormat.TEXT))
        assert first.payload == b"17.0"
        device.tree.set("/3303/0/5601", 18.5)
        await server.until(lambda: bool(server.observed[token]))
        assert server.observed[token][0].payload == b"18.5"


async def test_sends_by_sms() -> None:
    async with managed() as (_, _by_sms, server, device, _caller):
        response = await device.send(["/3303/0/5601"], even_if_muted=True)
        assert response.code == Code.CHANGED
        assert len(server.of(Send)) == 1


# -- bootstrap -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "form"), [("1.0", ContentFormat.TLV), ("1.1", ContentFormat.SENML_CBOR)])
async def test_bootstraps_and_registers_over_sms_alone(version: str, form: ContentFormat) -> None:
    async with smsc() as switch:
        bootstrap, managing = SmsServer(BootstrapServer([]), BOOTSTRAP_NUMBER), SmsServer(Server(), NUMBER)
        security = {0: f"tel:{NUMBER}", 1: False, 2: 3, 6: 3, 9: NUMBER.removeprefix("+"), 10: 101}
        bootstrap.server.script = [  # type: ignore[attr-defined]
            Request(Code.DELETE, ("0",)),
            put("/0/1", security, form),  # type: ignore[arg-type]
            put("/1/0", {0: 101, 1: 3600, 6: True, 7: "S"}, form),
            FINISH,
        ]
        async with (
            bootstrap.at(switch) as boot,
            managing.at(switch) as server,
            running_device(
                "meter", bootstrap=boot.uri, sim=sim(switch), version=version, binding="S"
            ) as device,
        ):
            await device.until(lambda: device.is_registered)
            assert boot.of(BootstrapRequest)[0].endpoint == "meter"
            assert codes(boot.answers) == ["2.02", "2.04", "2.04", "2.04"]  # type: ignore[attr-defined]
            register = server.of(Register)[0]
            assert (register.lifetime_seconds, register.binding) == (3600, "S")


async def test_one_number_may_bootstrap_and_manage() -> None:
    """The portal has one number for both: what each conversation began comes back to it."""

    class Both(BootstrapServer):
        def answer(self, caller: Caller, message: object) -> Any:
            if isinstance(message, BootstrapRequest):
                return BootstrapServer.answer(self, caller, message)
            return Server.answer(self, caller, message)

        def incoming(self, data: bytes, key: object, transmit: Any) -> None:
            self.plane = "bootstrap" if b"bs" in data[:16] else "management"
            super().incoming(data, key, transmit)

    async with smsc() as switch:
        portal = SmsServer(Both([]), NUMBER)
        security = {0: f"tel:{NUMBER}", 1: False, 2: 3, 6: 3, 9: NUMBER, 10: 101}
        portal.server.script = [  # type: ignore[attr-defined]
            put("/0/1", security),  # type: ignore[arg-type]
            put("/1/0", {0: 101, 1: 3600, 6: True, 7: "S"}),
            FINISH,
        ]
        async with (
            portal.at(switch) as server,
            running_device("meter", bootstrap=server.uri, sim=sim(switch), binding="S") as device,
        ):
            await device.until(lambda: device.is_registered)
            assert device.counts["bootstrapped"] == 1
            answer = await server.callers[DEVICE].ask(Code.GET, "/3/0/0", accept=0)
            assert answer.payload == b"Virtual Devices"


@pytest.mark.parametrize(
    "changes",
    [{0: "tel:nobody"}, {6: 1, 9: "491700000001"}, {6: 3, 9: "my server"}],
    ids=["uri", "mode", "number"],
)
async def test_refuses_an_account_that_it_could_not_use(changes: dict[int, Any]) -> None:
    async with smsc() as switch:
        bootstrap = SmsServer(BootstrapServer([]), BOOTSTRAP_NUMBER)
        security = {0: f"tel:{NUMBER}", 1: False, 2: 3, 10: 101, **changes}
        server_instance = put("/1/0", {0: 101, 1: 3600, 6: True, 7: "S"})
        bootstrap.server.script = [put("/0/1", security), server_instance, FINISH]  # type: ignore[attr-defined]
        async with (
            bootstrap.at(switch) as boot,
            running_device("meter", bootstrap=boot.uri, sim=sim(switch)),
        ):
            await eventually(lambda: len(boot.answers) == 3)  # type: ignore[attr-defined]
            assert codes(boot.answers)[2] == "4.06"  # type: ignore[attr-defined]


async def test_a_device_without_a_modem_cannot_call_a_number() -> None:
    async with running_device("meter", server="tel:+491700000001") as device:
        await device.until(lambda: device.counts["refused"] > 0)
        assert "no modem" in device.journal[0][1]


# -- triggers --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def reached_over_ip(**what: Any) -> AsyncIterator[tuple[Server, Caller, Device]]:
    """A device that registered over UDP, sleeps, and can be reached by SMS; the caller is its number."""
    async with smsc() as switch:
        trigger = SmsServer(Server(), NUMBER)
        async with trigger.at(switch) as by_sms, running(Server()) as server:
            options = {"queue_mode": True, "awake_seconds": 0.05, **what}
            async with running_device(
                "meter", server=server.uri, sim=sim(switch), sms_number=NUMBER, **options
            ) as device:
                await device.until(lambda: device.is_registered)
                await eventually(lambda: device.modem is not None and device.modem.is_connected)
                await eventually(lambda: not device.registrations[0].connection.is_awake)
                by_sms.incoming(b"", DEVICE, lambda reply: trigger.esme.submit(DEVICE, reply))
                yield server, by_sms.callers[DEVICE], device


@pytest.mark.parametrize(
    ("version", "binding", "told"), [("1.0", "U", "U"), ("1.0", "US", "US"), ("1.1", "US", "US")]
)
async def test_an_sms_trigger_wakes_a_device_whose_ip_side_sleeps(
    version: str, binding: str, told: str
) -> None:
    async with reached_over_ip(version=version, binding=binding) as (server, caller, _device):
        register = server.of(Register)[0]
        assert (register.binding, register.queue_mode) == (told, True)
        assert register.sms_number == DEVICE.removeprefix("+")
        assert server.of(Update) == []
        answer = await caller.ask(Code.POST, "/1/0/8")
        assert answer.code == Code.CHANGED
        await server.until(lambda: bool(server.of(Update)))


async def test_a_trigger_that_is_not_confirmable_has_no_sms_for_an_answer() -> None:
    async with reached_over_ip() as (server, caller, device):
        assert device.tree.value(1, 0, 21) is True
        assert device.modem is not None
        before = device.modem.counts["sent"]
        asking = asyncio.create_task(caller.ask(Code.POST, "/1/0/8", confirmable=False))
        await server.until(lambda: bool(server.of(Update)))
        # An answer would have left before the Update, and what is asked next has one.
        assert device.modem.counts["sent"] == before
        assert not asking.done()
        asking.cancel()
        assert (await caller.ask(Code.GET, "/3/0/0", accept=0)).code == Code.CONTENT


async def test_an_sms_trigger_sends_it_to_its_bootstrap_server() -> None:
    async with reached_over_ip() as (_, caller, device):
        answer = await caller.ask(Code.POST, "/1/0/9")
        assert answer.code == Code.CHANGED
        await device.until(lambda: device.counts["bootstrap-failed"] > 0)


async def test_sms_from_any_other_number_is_thrown_away() -> None:
    async with smsc() as switch:
        stranger, managing = SmsServer(Server(), BOOTSTRAP_NUMBER), SmsServer(Server(), NUMBER)
        async with (
            stranger.at(switch),
            managing.at(switch) as server,
            running_device("meter", server=server.uri, sim=sim(switch), binding="S") as device,
        ):
            await device.until(lambda: device.is_registered)
            stranger.esme.submit(DEVICE, b"\x40\x02\x00\x01\xb11\x010\x018")
            await eventually(lambda: device.modem is not None and device.modem.counts["ignored"] == 1)
            assert stranger.payloads == []


# -- what goes wrong -------------------------------------------------------------------------------------------


async def test_a_sleeping_sms_device_gets_its_messages_when_it_is_awake() -> None:
    async with managed(queue_mode=True, awake_seconds=0.5, version="1.0") as (
        _,
        _by_sms,
        _server,
        device,
        caller,
    ):
        modem, connection = device.modem, device.registrations[0].connection
        assert modem is not None
        await eventually(lambda: not connection.is_awake)
        asking = asyncio.create_task(caller.ask(Code.GET, "/3/0/0", accept=0))
        await eventually(lambda: modem.counts["asleep"] >= 1)
        assert not asking.done()
        await device.update()
        assert (await asking).payload == b"Virtual Devices"


@pytest.mark.parametrize(
    "faults",
    [
        SmscFaults(reorder=2),
        SmscFaults(duplicate=1.0),
        SmscFaults(drop=0.2, seed=5),
        SmscFaults(slow_seconds=0.05),
    ],
    ids=["reordered", "twice", "lost", "slow"],
)
async def test_bears_what_an_smsc_does(faults: SmscFaults) -> None:
    manners = SmsManners(
        tuning=replace(SMS_TUNING, ack_timeout=0.5, response_seconds=5.0, max_retransmit=6),
        retry_seconds=0.5,
        retry_limit_seconds=1.0,
    )
    async with managed(faults=faults, sms=manners) as (_, _by_sms, _server, device, caller):
        answer = await caller.ask(Code.GET, "/3/0/0", accept=0)
        assert answer.payload == b"Virtual Devices"
        await device.update()


async def test_throttled_messages_are_sent_again() -> None:
    async with managed(faults=SmscFaults(throttle=2)) as (_, _by_sms, server, device, _caller):
        assert device.modem is not None
        assert device.modem.counts["throttled"] == 2
        assert len(server.of(Register)) == 1


async def test_a_sim_card_that_the_smsc_does_not_know_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    async with smsc() as switch:
        card = Sim(DEVICE, port=switch.port, password="guess")
        async with running_device("meter", server=f"tel:{NUMBER}", sim=card) as device:
            await eventually(lambda: device.modem is not None and device.modem.counts["bind refused"] == 1)
        assert "ESME_RINVPASWD" in caplog.text
        assert "guess" not in caplog.text + repr(card)


async def test_an_smsc_that_comes_back_finds_the_device_again() -> None:
    async with managed() as (switch, by_sms, server, device, _caller):
        await switch.go_down()
        assert device.modem is not None
        await eventually(lambda: device.modem is not None and not device.modem.is_connected)
        await switch.come_up()
        await by_sms.esme.bound(switch)
        await eventually(lambda: device.modem is not None and device.modem.is_connected)
        await device.update()
        assert len(server.of(Update)) == 1


def test_patience_is_counted_in_minutes_unless_told_otherwise() -> None:
    firmware = Firmware().for_sms()
    assert firmware.sms.tuning.ack_timeout >= 60
    assert firmware.sms.finish_seconds >= 600
    assert firmware.retry_seconds >= 60

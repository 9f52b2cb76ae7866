"""The door out: answers, refusals, silence, nudges, and devices that go away while they are asked."""

from __future__ import annotations

import pytest

from devices.commands.models import Command
from devices.commands.services import mailbox
from devices.inventory.models import Plane
from lwm2m.codes import Code
from lwm2m.requests import deregister_request, register_request, update_request
from simulator.faults import Faults
from southbound.listeners.engine import Tuning
from tests.fakes.devices import running_device
from tests.southbound.client import LINKS, management, until

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = Tuning(ack_timeout=0.1, max_retransmit=1)


def uri(southbound) -> str:
    return f"coap://127.0.0.1:{southbound.ports.port_of(Plane.MANAGEMENT, secured=False)}"


async def order(device, operation, path, **arguments):
    """Queue a command as a page would; the nudge does the rest. Returns the command once it ended."""
    made = await until(
        lambda: mailbox.enqueue(
            device=device, operation=operation, path=path, arguments=arguments, requested_by="test"
        )
    )
    return await until(
        lambda: Command.objects.filter(pk=made.pk).exclude(state__in=["queued", "sent"]).first()
    )


def test_operations(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        async with running_device("dev-1", server=uri(southbound)) as client:
            await client.until(lambda: client.is_registered)
            read = await order(device, "read", "/3/0/0")
            assert (read.state, read.response_code) == ("done", "2.05")
            assert read.answer["nodes"][0]["path"] == "/3/0/0"
            assert (await order(device, "discover", "/3")).answer["links"].startswith("</3>")
            assert (await order(device, "write", "/1/0/1", value=120)).response_code == "2.04"
            assert (await order(device, "read", "/1/0/1")).answer["nodes"][0]["value"] == 120
            assert (await order(device, "write", "/1/0", values={"/1/0/2": 5})).response_code == "2.04"
            attributes = await order(
                device, "write-attributes", "/3/0/9", attributes={"pmin": 5, "pmax": None}
            )
            assert attributes.response_code == "2.04"
            assert (await order(device, "execute", "/1/0/8")).response_code == "2.04"
            missing = await order(device, "read", "/3/0/999")
            assert (missing.state, missing.response_code, missing.cause) == (
                "refused",
                "4.04",
                "COMMAND_REFUSED",
            )
            wrong = await order(device, "write", "/3/0")
            assert (wrong.state, wrong.cause) == ("refused", "VALIDATION_FAILED")

    play(scene)


def test_a_large_answer_comes_in_blocks_and_a_separate_response_is_acknowledged(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        faults = Faults(slow_seconds=0.1)
        async with running_device("dev-1", server=uri(southbound), faults=faults) as client:
            await client.until(lambda: client.is_registered)
            await until(lambda: True)
            answered = await order(device, "read", "/3")
            assert answered.response_code == "2.05"
            assert len(answered.answer["nodes"]) > 5

    play(scene)


def test_answers_that_cannot_be_read_are_kept_raw(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        async with running_device("dev-1", server=uri(southbound), faults=Faults(garbled=True)) as client:
            await client.until(lambda: client.is_registered)
            answered = await order(device, "read", "/3/0")
            assert answered.state == "done"
            assert "base64" in answered.answer["raw"]

    play(scene)


def test_silence_is_typed_and_a_repeatable_command_waits_for_the_next_contact(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        await until(
            lambda: mailbox.enqueue(device=device, operation="read", path="/3/0", requested_by="test")
        )
        silent = await until(lambda: Command.objects.filter(state="queued", attempts=1).first())
        assert silent.cause == "DEVICE_UNREACHABLE"
        assert (await wire.ask(update_request(location))).code == "2.04"
        await until(lambda: Command.objects.filter(attempts=2).exists())

    play(scene, tuning=QUICK)


def test_a_device_that_registers_anew_is_asked_anew(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        deaf = await management(southbound)
        await deaf.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(
            lambda: mailbox.enqueue(device=device, operation="read", path="/3/0/0", requested_by="test")
        )
        await deaf.next()
        async with running_device("dev-1", server=uri(southbound)):
            await until(lambda: Command.objects.filter(state="done").exists())

    play(scene)


def test_nothing_is_sent_to_a_device_that_left(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        assert (await wire.ask(deregister_request(location))).code == "2.02"
        await until(
            lambda: mailbox.enqueue(device=device, operation="read", path="/3/0", requested_by="test")
        )
        southbound.delivery.wake(device.pk)
        await until(lambda: not southbound.delivery._flushing)
        await wire.is_alive()
        assert wire.inbox.empty()

    play(scene)
    assert Command.objects.get().attempts == 0


def test_what_was_claimed_at_a_stop_is_queued_again(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(
            lambda: mailbox.enqueue(device=device, operation="read", path="/3/0", requested_by="test")
        )
        assert (await wire.next())[1] == Code.GET

    play(scene)
    assert Command.objects.get().state == "queued"

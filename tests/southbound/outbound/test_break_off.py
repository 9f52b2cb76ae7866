"""What is under way to a device ends at once when it is broken off or takes too long, and the next command leaves."""

from __future__ import annotations

import asyncio
import logging

import pytest
from django.db import OperationalError

from coap import stream
from coap.options import BLOCK1, BLOCK2, Option
from devices.commands.models import Command
from devices.commands.services import mailbox
from devices.inventory.models import Plane
from devices.observations.services import observations
from devices.operations.services import settlement
from devices.registry.models import Registration
from devices.telemetry.models import ResourceValue
from lwm2m.codes import Code
from lwm2m.requests import register_request, update_request
from southbound.listeners.engine import Tuning
from southbound.outbound import claims
from tests.coap.peer import block, number, piggybacked
from tests.southbound.client import LINKS, management, until
from tests.southbound.conftest import running
from tests.southbound.listeners.test_tcp import PORTS, register_frame

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = Tuning(ack_timeout=20.0, response_seconds=0.2)


async def request_of(wire) -> bytes:
    """The next request of ours, whatever comes between."""
    while True:
        data = await wire.next()
        if 0 < data[1] < 0x20:
            return data


async def another_than(wire, asked: bytes) -> bytes:
    """The next request that is no repetition of `asked`."""
    while (data := await request_of(wire))[2:4] == asked[2:4]:
        continue
    return data


def observe(device):
    return observations.want(device=device, path="/3/0/9", wanted_by="test")


def read(device):
    return mailbox.enqueue(device=device, operation="read", path="/3/0/9", requested_by="test")


def write_in_blocks(device):
    return mailbox.enqueue(
        device=device,
        operation="write",
        path="/5/0/0",
        arguments={"value": {"base64": "AAAA" * 1000}, "content_format": 42},
        requested_by="test",
    )


KINDS = [read, observe, write_in_blocks]


def acknowledged(asked: bytes) -> bytes:
    return b"\x60\x00" + asked[2:4]


def answered(asked: bytes, code: int, *options: Option, payload: bytes = b"") -> bytes:
    return piggybacked(asked, code, payload, *options)


@pytest.mark.parametrize("ask", KINDS)
def test_a_device_that_registers_anew_is_asked_anew_at_once(play, make_device, ask):
    """L-01, for every kind of request: the claim does not wait for its lease."""
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: ask(device))
        asked = await request_of(wire)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        again = await another_than(wire, asked)
        assert again[1] == asked[1]

    play(scene)


@pytest.mark.parametrize("ask", KINDS)
def test_a_device_that_acknowledges_and_never_answers(play, make_device, ask):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: ask(device))
        asked = await request_of(wire)
        wire.send(acknowledged(asked))
        ended = await until(lambda: Command.objects.exclude(state="sent").exclude(cause="").first())
        assert (ended.state, ended.cause, ended.attempts) == ("silent", "ACKNOWLEDGED_UNANSWERED", 1)

    play(scene, tuning=QUICK)


@pytest.mark.parametrize("ask", KINDS)
def test_a_device_that_moves_is_asked_at_its_new_address_at_once(play, make_device, ask):
    device = make_device("dev-1")

    async def scene(southbound):
        wire, other = await management(southbound), await management(southbound)
        location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
        await until(lambda: ask(device))
        asked = await request_of(wire)
        assert (await other.ask(update_request(location))).code == "2.04"
        again = await request_of(other)
        assert again[1] == asked[1]

    play(scene)
    # What ended as the process stopped is one attempt, what was broken off is none.
    assert Command.objects.get().attempts == 1


@pytest.mark.parametrize("ask", KINDS)
def test_what_a_stopped_process_had_sent_leaves_at_the_next_contact(play, make_device, ask):
    device = make_device("dev-1")

    async def before(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: ask(device))
        return (await request_of(wire))[1]

    async def after(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        return (await request_of(wire))[1]

    assert play(before) == play(after)


def test_what_waits_behind_a_composite_that_is_never_answered_leaves(play, make_device):
    """A client that acknowledges FETCH and has never heard of it."""
    device = make_device("dev-1")

    def both():
        mailbox.enqueue(
            device=device,
            operation="read-composite",
            path="/",
            arguments={"paths": ["/3/0/0", "/3/0/1"]},
            requested_by="test",
        )
        return read(device)

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(both)
        asked = await request_of(wire)
        assert asked[1] == Code.FETCH
        wire.send(acknowledged(asked))
        following = await another_than(wire, asked)
        assert following[1] == Code.GET
        wire.send(answered(following, Code.CONTENT, number(12, 0), payload=b"55"))
        await until(lambda: Command.objects.filter(operation="read", state="done").exists())

    play(scene, tuning=QUICK)
    composite = Command.objects.get(operation="read-composite")
    assert (composite.state, composite.cause, composite.attempts) == ("silent", "ACKNOWLEDGED_UNANSWERED", 1)


def test_a_list_that_stops_in_its_middle_ends_and_the_next_command_leaves(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: [read(device), write_in_blocks(device)])
        asked = await request_of(wire)
        wire.send(
            answered(asked, Code.CONTENT, number(12, 112), block(BLOCK2, 0, True, 0), payload=bytes(16))
        )
        rest = await another_than(wire, asked)
        wire.send(answered(rest, Code.CONTENT, number(12, 112), block(BLOCK2, 5, True, 0), payload=bytes(16)))
        write = await another_than(wire, rest)
        wire.send(answered(write, Code.CONTINUE))
        await until(lambda: not Command.objects.filter(state__in=["queued", "sent"]).exists())

    play(scene)
    ended = {c.operation: (c.state, c.cause) for c in Command.objects.all()}
    assert ended == {"read": ("refused", "ANSWER_UNREADABLE"), "write": ("refused", "ANSWER_UNREADABLE")}
    assert "bytes from 80 on came where those from 16 on" in Command.objects.get(operation="read").detail


@pytest.mark.parametrize(
    ("code", "state", "cause"),
    [
        (Code.CHANGED, "refused", "ANSWER_UNEXPECTED"),
        (Code.VALID, "refused", "ANSWER_UNEXPECTED"),
        (Code.CONTINUE, "refused", "ANSWER_UNREADABLE"),
        (Code.NOT_FOUND, "refused", "COMMAND_REFUSED"),
    ],
)
def test_a_success_is_the_one_of_the_operation(play, make_device, code, state, cause):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: read(device))
        wire.send(answered(await request_of(wire), code))
        await until(lambda: Command.objects.exclude(ended_at=None).exists())

    play(scene)
    ended = Command.objects.get()
    assert (ended.state, ended.cause) == (state, cause)
    assert not ResourceValue.objects.exists()


def test_a_busy_device_is_asked_again_after_max_age(play, make_device):
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: read(device))
        asked = await request_of(wire)
        wire.send(answered(asked, Code.SERVICE_UNAVAILABLE, number(14, 1)))
        again = await another_than(wire, asked)
        wire.send(answered(again, Code.CONTENT, number(12, 0), payload=b"55"))
        await until(lambda: Command.objects.filter(state="done", attempts=2).exists())

    play(scene, sweep_seconds=0.1)


HOSTILE = {
    "a content format of 1,900 bytes": (12, b"\xff" * 1900),
    "a content format that no database takes": (12, b"\xff" * 4),
    "an Observe of 200 bytes": (6, b"\xff" * 200),
    "an unknown critical option": (65, b"x"),
    "a block of four bytes": (23, b"\xff" * 4),
    "an entity tag of 300 bytes": (4, b"x" * 300),
}


@pytest.mark.parametrize("option", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_answer_is_an_outcome_and_the_next_command_leaves(play, make_device, caplog, option):
    device = make_device("dev-1")
    caplog.set_level(logging.WARNING)

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: [read(device), read(device)])
        asked = await request_of(wire)
        wire.send(answered(asked, Code.CONTENT, option, payload=b"55"))
        following = await another_than(wire, asked)
        wire.send(answered(following, Code.CONTENT, number(12, 0), payload=b"55"))
        await until(lambda: not Command.objects.filter(ended_at=None).exists())

    play(scene)
    assert not [record for record in caplog.records if record.exc_info]


def test_an_answer_is_kept_while_the_database_is_away(play, make_device, monkeypatch):
    """What was executed is not told as silence: the outcome waits in memory, and is written once."""
    device = make_device("dev-1")
    failures = 4
    settle = settlement.settle

    def away(**what):
        nonlocal failures
        if failures:
            failures -= 1
            raise OperationalError("the database is away")
        return settle(**what)

    monkeypatch.setattr(settlement, "settle", away)

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(
            lambda: mailbox.enqueue(device=device, operation="execute", path="/3/0/4", requested_by="test")
        )
        wire.send(answered(await request_of(wire), Code.CHANGED))
        await until(lambda: Command.objects.filter(state="done").exists())

    play(scene)
    assert (failures, Command.objects.get().response_code) == (0, "2.04")


def test_a_transfer_that_goes_on_prolongs_its_lease(play, make_device, monkeypatch):
    """A lease is shorter than sixty-four blocks on a slow link; the part of it after which it is prolonged is none."""
    monkeypatch.setattr(claims, "PROLONG_PART", 0.0)
    device = make_device("dev-1")

    async def scene(southbound):
        wire = await management(southbound)
        await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))
        await until(lambda: write_in_blocks(device))
        asked = await request_of(wire)
        first = await until(lambda: Command.objects.get().lease_until)
        wire.send(answered(asked, Code.CONTINUE, block(BLOCK1, 0, True, 6)))
        await request_of(wire)
        await until(lambda: Command.objects.get().lease_until > first)

    play(scene)


async def frame_of(reader) -> bytes:
    """The next request on a stream, in the form of a datagram."""
    splitter = stream.Splitter()
    while True:
        for frame in splitter.feed(await reader.read(1)):
            if 0 < frame.code < 0x20:
                return frame.to_datagram(0, 0)


@pytest.mark.parametrize("ask", KINDS)
def test_a_device_that_connects_anew_is_asked_on_its_new_connection(make_device, settings, tmp_path, ask):
    """Over TCP the old connection may stand for hours; whether it ends or not, what was asked there is over."""
    settings.DATA_DIR = tmp_path
    device = make_device("dev-1")

    async def registered(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(stream.csm() + register_frame(b"r"))
        return reader, writer

    async def scene():
        async with running(ports=PORTS) as southbound:
            port = southbound.ports.stream_port_of(Plane.MANAGEMENT)
            reader, writer = await registered(port)
            await until(lambda: Registration.objects.filter(transport="tcp", is_live=True).exists())
            await until(lambda: ask(device))
            asked = await frame_of(reader)
            for ends in (False, True):
                if ends:
                    writer.close()
                before = writer
                reader, writer = await registered(port)
                assert (await frame_of(reader))[1] == asked[1]
                before.close()
            writer.close()

    asyncio.run(asyncio.wait_for(scene(), 90))

"""What is under way to a device ends at once when it is broken off or takes too long, and the next command leaves."""

from __future__ import annotations

import pytest

from devices.models import Command
from devices.services import mailbox, observations
from lwm2m.requests import register_request
from southbound.transports.engine import Tuning
from tests.southbound.client import LINKS, management, until

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = Tuning(ack_timeout=0.02, response_seconds=0.2)


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
        wire.send(b"\x60\x00" + asked[2:4])
        ended = await until(lambda: Command.objects.exclude(state="sent").exclude(cause="").first())
        assert (ended.state, ended.cause, ended.attempts) == ("silent", "ACKNOWLEDGED_UNANSWERED", 1)

    play(scene, tuning=QUICK)

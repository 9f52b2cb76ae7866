"""What we send fits small devices: the table in section 6 of docs/field.md."""

from __future__ import annotations

import asyncio

import pytest

from accounts.errors import Refused
from coap.options import BLOCK1, TEXT_BYTES, URI_PATH, URI_QUERY, walk
from devices.inventory import nameplate
from lwm2m.requests import register_request
from tests.southbound.client import LINKS, management
from tests.southbound.management import order

pytestmark = pytest.mark.django_db(transaction=True)


async def requests_to(wire) -> list[bytes]:
    """What the portal asks of this device, acknowledged with 2.04, block by block."""
    asked = []
    while True:
        data = await wire.next()
        if not 0 < data[1] < 0x20:
            continue
        asked.append(data)
        head = 4 + (data[0] & 15)
        options, _ = walk(data, head)
        block = next((value for number, value in options if number == BLOCK1), None)
        more = block is not None and block[-1] & 8
        echo = b"" if block is None else bytes((0xD0 | len(block), 14)) + block
        wire.send(bytes((0x60 | data[0] & 15, 0x5F if more else 0x44)) + data[2:head] + echo)
        if not more:
            return asked


@pytest.mark.parametrize("length", [1, 1024, 1025, 5000])
def test_every_message_fits_and_has_a_token_that_everybody_can_keep(play, make_device, length):
    """RFC 7252 section 4.6: 1,152 bytes of message and 1,024 of payload, unless more is known of the way."""
    device = make_device("dev-1")
    value = "v" * length

    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).code == "2.01"
        device_side = asyncio.create_task(requests_to(wire))
        done = await order(device, "write", "/3/0/15", value=value, content_format="text")
        assert done.response_code == "2.04"
        return await device_side

    got = b""
    for data in play(scene):
        token = data[0] & 15
        options, payload = walk(data, 4 + token)
        assert 4 <= token <= 8
        assert len(data) <= 1152
        assert len(payload) <= 1024
        assert all(len(value) <= TEXT_BYTES for number, value in options if number in (URI_PATH, URI_QUERY))
        got += payload
    assert got == value.encode()


def test_the_longest_request_without_a_payload_fits_one_message(play, make_device):
    device = make_device("dev-1")
    attributes = {
        "pmin": 2**31 - 2,
        "pmax": 2**31 - 1,
        "gt": 1.7976931348623e308,
        "lt": -1.7976931348623e308,
        "st": 1.234567890123e-300,
    }

    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).code == "2.01"
        device_side = asyncio.create_task(requests_to(wire))
        done = await order(device, "write-attributes", "/3/0/9", attributes=attributes)
        assert done.response_code == "2.04", done.detail
        return await device_side

    (data,) = play(scene)
    assert len(data) <= 1152


@pytest.mark.parametrize(("name", "is_taken"), [("x" * 252, True), ("x" * 253, False), ("é" * 127, False)])
def test_an_endpoint_name_fits_the_register_of_its_device(play, make_device, name, is_taken):
    if not is_taken:
        with pytest.raises(Refused) as refused:
            nameplate.check_endpoint(name)
        assert refused.value.cause == "ENDPOINT_INVALID"
        return
    make_device(nameplate.check_endpoint(name))

    async def scene(southbound):
        wire = await management(southbound)
        assert (await wire.ask(register_request(endpoint=name, object_links=LINKS))).code == "2.01"

    play(scene)

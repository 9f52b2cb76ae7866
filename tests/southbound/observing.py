"""Observing from a test: what the server holds, and a bare client that answers and notifies by hand."""

from __future__ import annotations

from devices.observations.models import Observation
from devices.observations.services import observations
from devices.telemetry.models import ResourceValue
from lwm2m.requests import register_request
from tests.southbound.client import LINKS, management, until


def client_observations(client) -> int:
    """How many observations the device has."""
    return len(client.registrations[0]._service.observations)


async def value_is(path: str, number: float) -> None:
    await until(lambda: ResourceValue.objects.filter(path=path, number=number).exists())


async def active(count: int = 1) -> Observation:
    return await until(
        lambda: (
            Observation.objects.filter(state="active").count() == count
            and (Observation.objects.filter(state="active").first() or True)
        )
    )


async def observed_by_hand(southbound, device):
    """A bare client that is registered and answered one Observe; its location, and the token."""
    wire = await management(southbound)
    location = (await wire.ask(register_request(endpoint="dev-1", object_links=LINKS))).location
    await until(lambda: observations.want(device=device, path="/3/0/9", wanted_by="test"))
    asked = await wire.next()
    token = asked[4 : 4 + (asked[0] & 15)]
    answered = bytes((0x60 | len(token), 0x45)) + asked[2:4] + token + bytes((0x61, 1, 0x60, 0xFF)) + b"50"
    wire.send(answered)
    await active()
    return wire, location, token


def notification(
    token: bytes,
    mid: int,
    payload: bytes,
    *,
    kind: int = 0x40,
    code: int = 0x45,
    number: int = 2,
    form: int = 0,
) -> bytes:
    """`form` is a content format below 256; 0 is text."""
    head = bytes((kind | len(token), code)) + mid.to_bytes(2, "big") + token
    content_format = bytes((0x61, form)) if form else b"\x60"
    return head + bytes((0x61, number)) + content_format + b"\xff" + payload


async def notified(wire, *datagram, **more) -> None:
    """Sent and acknowledged, and with that stored."""
    data = notification(*datagram, **more)
    wire.send(data)
    assert await wire.next() == bytes((0x60, 0)) + data[2:4]

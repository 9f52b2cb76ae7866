"""A device that is nothing but a script: a bare socket that registers and answers with the bytes of a case."""

from __future__ import annotations

import json
from typing import Any

from devices.inventory.models import Device
from devices.inventory.services import object_models
from devices.inventory.services.object_models import Result, Source
from devices.operations.services import operations
from devices.telemetry.models import ResourceValue
from devices.telemetry.selectors import values
from lwm2m.requests import register_request, send_request
from tests.southbound.client import Answer, Wire, management, until
from tests.southbound.management import ended

OBJECT = 32700
LINKS = b'</>;rt="oma.lwm2m";ct="0 42 60 110 112 11542 11543 11544",</1/0>,</3/0>,</32700/0>'
TYPES = ("String", "Integer", "Unsigned Integer", "Float", "Boolean", "Opaque", "Time", "Objlnk", "Corelnk")


def _item(number: int, type_: str, instances: str) -> str:
    return (
        f'<Item ID="{number}"><Name>R{number}</Name><Operations>RW</Operations>'
        f"<MultipleInstances>{instances}</MultipleInstances><Mandatory>Optional</Mandatory>"
        f"<Type>{type_}</Type><RangeEnumeration/><Units/><Description/></Item>"
    )


def model() -> bytes:
    """Object 32700: resources 0 to 8 of each type, single; 10 to 18 the same, multiple."""
    items = [_item(at, type_, "Single") for at, type_ in enumerate(TYPES)]
    items += [_item(at + 10, type_, "Multiple") for at, type_ in enumerate(TYPES)]
    return (
        '<LWM2M><Object ObjectType="MODefinition"><Name>Field</Name><Description1/>'
        f"<ObjectID>{OBJECT}</ObjectID><ObjectURN>urn:oma:lwm2m:x:{OBJECT}</ObjectURN>"
        "<MultipleInstances>Multiple</MultipleInstances><Mandatory>Optional</Mandatory>"
        f"<Resources>{''.join(items)}</Resources></Object></LWM2M>"
    ).encode()


def load_model(device: Device) -> None:
    [report] = object_models.load(operator=device.operator, files=[Source("field.xml", model())])
    assert report.result is Result.LOADED, report


async def registered(southbound, endpoint: str = "dev-1", links: bytes = LINKS) -> tuple[Wire, Answer]:
    wire = await management(southbound)
    answer = await wire.ask(register_request(endpoint=endpoint, object_links=links))
    assert answer.code == "2.01"
    return wire, answer


def token_of(datagram: bytes) -> bytes:
    return datagram[4 : 4 + (datagram[0] & 15)]


def content_format(number: int | None, before: int) -> bytes:
    """The Content-Format option after an option with number `before`; nothing for None."""
    if number is None:
        return b""
    value = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes(((12 - before) << 4 | len(value),)) + value


def answer_to(
    asked: bytes, code: str, number: int | None, payload: bytes, *, observe: bytes | None = None
) -> bytes:
    """A piggybacked answer to the request `asked`."""
    major, minor = code.split(".")
    token = token_of(asked)
    head = bytes((0x60 | len(token), int(major) << 5 | int(minor))) + asked[2:4] + token
    options, before = b"", 0
    if observe is not None:
        options, before = bytes((0x60 | len(observe),)) + observe, 6
    options += content_format(number, before)
    return head + options + (b"\xff" + payload if payload else b"")


async def read(wire: Wire, device: Device, path: str, *, code: str, number: int | None, payload: bytes):
    """Order a Read, answer it with the case's bytes, and return the ended command."""
    command = await until(
        lambda: operations.request(device=device, operation="read", path=path, requested_by="test")
    )
    wire.send(answer_to(await wire.next(), code, number, payload))
    return await ended(command)


async def send(wire: Wire, number: int, payload: bytes) -> str:
    return (await wire.ask(send_request(number, payload))).code


def stored(device: Device) -> dict[str, Any]:
    """The newest value of each resource as REST tells it."""
    rows = ResourceValue.objects.filter(device=device)
    return {row.path: values.value(row.kind, row.number, row.text) for row in rows}


def same(found: Any, wanted: Any) -> bool:
    """Equal as JSON, and of the same kind: 1 is no true, 5 is not "5"."""
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True) or (
        isinstance(found, int | float)
        and isinstance(wanted, int | float)
        and not isinstance(found, bool)
        and not isinstance(wanted, bool)
        and found == wanted
    )

"""What a case looks at besides the command's end: the request that the device was sent, and its answer."""

from __future__ import annotations

from typing import Any

from devices.commands.models import Command
from devices.inventory.models import Device
from lwm2m.codes import Code
from lwm2m.messages import Request
from simulator.device import Device as Client
from tests.southbound.management import order, told

TEXT, LINK, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV, JSON = 0, 40, 42, 60, 110, 112, 11542, 11543


def last(client: Client) -> Request:
    """The newest request that the device was sent."""
    return client.asked[-1][0]


def answered(client: Client) -> tuple[str, int | None]:
    """Code and Content-Format of the device's newest answer, as they went out."""
    answer = client.asked[-1][1]
    return answer.code.dotted, answer.content_format


def sent(client: Client, code: Code, path: str) -> Request:
    """The newest request, which has to be this one."""
    request = last(client)
    assert (request.code, "/" + "/".join(request.path)) == (code, path)
    return request


async def read(device: Device, client: Client, path: str, content_format: int) -> dict[str, Any]:
    """Read in a format: it is asked for on the wire, it comes, and the values are decoded by path."""
    command = await order(device, "read", path, content_format=content_format)
    assert sent(client, Code.GET, path).accept == content_format
    assert answered(client) == ("2.05", content_format)
    assert command.answer["content_format"] == content_format
    return told(command)


async def write(device: Device, client: Client, path: str, content_format: int, **what: Any) -> Request:
    """Write in a format: PUT, or POST where `mode` is update; the device changed it."""
    command = await order(device, "write", path, content_format=content_format, **what)
    expect(command, "2.04")
    mode = what.get("mode", "update" if path.count("/") == 2 else "replace")
    request = sent(client, Code.POST if mode == "update" else Code.PUT, path)
    assert request.content_format == content_format
    return request


def expect(command: Command, code: str) -> Any:
    """Done with this code; the answer."""
    assert (command.state, command.response_code) == ("done", code), (command.state, command.detail)
    return command.answer


def refused(command: Command, code: str) -> None:
    """The device said no, and the operator sees how."""
    assert (command.state, command.response_code, command.cause) == ("refused", code, "COMMAND_REFUSED")

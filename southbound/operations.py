"""What a command of the mailbox is on the wire, and what its answer says: one function each way per operation.

Arguments are JSON. Read: `content_format`. Write and Create: `value` (of the path itself) or `values` (path to value),
`replace`, `content_format`. Write-Attributes: `attributes`, null unsets. Execute: `arguments`, the text sent.
A value of type opaque is {"base64": "..."}, an object link {"object_link": "3:0"}.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.models import Operation
from lwm2m import formats, objects
from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.links import ObjectLinks, choose_format
from lwm2m.messages import Request
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.paths import Path

_RAW_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """What a device said about itself that a request to it depends on."""

    version: str
    object_links: ObjectLinks | None

    @property
    def root(self) -> tuple[str, ...]:
        """The alternate path, which management requests are prefixed with."""
        root_path = "" if self.object_links is None else self.object_links.root_path
        return tuple(root_path.split("/")) if root_path else ()


def request(operation: str, path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    """The CoAP request of a command. Raises `Lwm2mError` for arguments that cannot be sent."""
    build = _BUILDERS.get(operation)
    if build is None:
        raise Lwm2mError(
            Code.NOT_IMPLEMENTED, "NOT_IMPLEMENTED", f"{operation} is not sent by this server yet."
        )
    return build(path, arguments, target)


def answer(path: Path, payload: bytes, content_format: int | None, location: tuple[str, ...]) -> Any:
    """A successful answer as JSON: `nodes` of path and value, or the raw bytes where they cannot be read."""
    said: dict[str, Any] = {}
    if location:
        said["location"] = "/" + "/".join(location)
    if not payload:
        return said or None
    if content_format is not None:
        said["content_format"] = content_format
    if content_format == ContentFormat.LINK:
        return said | {"links": payload.decode(errors="replace")}
    try:
        nodes = formats.decode(content_format, payload, path, objects.core())
    except Lwm2mError as error:
        raw = base64.b64encode(payload[:_RAW_LIMIT]).decode()
        return said | {"raw": {"base64": raw}, "problem": error.detail}
    return said | {"nodes": [{"path": str(node.path), "value": _to_json(node.value)} for node in nodes]}


def _read(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    accept = choose_format(target.object_links, target.version, arguments.get("content_format"))
    return Request(Code.GET, target.root + path.segments, accept=accept)


def _discover(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return Request(Code.GET, target.root + path.segments, accept=int(ContentFormat.LINK))


def _write(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    # Partial update is POST on an instance; everything else replaces (OMA-TS-LightweightM2M_Core 6.3.3).
    partial = path.depth == 2 and not arguments.get("replace", False)
    return _with_values(Code.POST if partial else Code.PUT, path, arguments, target)


def _create(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return _with_values(Code.POST, path, arguments, target)


def _with_values(code: Code, path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    wish = arguments.get("content_format")
    content_format = choose_format(target.object_links, target.version, wish, "write")
    if content_format is None:
        content_format = int(ContentFormat.TLV)
    payload = formats.encode(content_format, _nodes(path, arguments), path)
    return Request(code, target.root + path.segments, content_format=content_format, payload=payload)


def _write_attributes(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    attributes = arguments.get("attributes")
    if not isinstance(attributes, Mapping) or not attributes:
        raise bad_request("VALIDATION_FAILED", "Write-Attributes needs attributes such as pmin or pmax.")
    query = tuple(name if value is None else f"{name}={value}" for name, value in attributes.items())
    return Request(Code.PUT, target.root + path.segments, query)


def _execute(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    text = str(arguments.get("arguments", ""))
    content_format = int(ContentFormat.TEXT) if text else None
    return Request(
        Code.POST, target.root + path.segments, content_format=content_format, payload=text.encode()
    )


def _delete(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return Request(Code.DELETE, target.root + path.segments)


_BUILDERS: dict[str, Callable[[Path, Mapping[str, Any], Target], Request]] = {
    Operation.READ: _read,
    Operation.DISCOVER: _discover,
    Operation.WRITE: _write,
    Operation.WRITE_ATTRIBUTES: _write_attributes,
    Operation.EXECUTE: _execute,
    Operation.CREATE: _create,
    Operation.DELETE: _delete,
}


def _nodes(path: Path, arguments: Mapping[str, Any]) -> list[Node]:
    if "value" in arguments:
        return [Node(path, _from_json(arguments["value"]))]
    values = arguments.get("values")
    if not isinstance(values, Mapping):
        raise bad_request("VALIDATION_FAILED", "There is nothing to write: give a value, or values by path.")
    return [Node(Path.parse(str(name)), _from_json(value)) for name, value in values.items()]


def _from_json(value: Any) -> Value:
    if isinstance(value, Mapping):
        if isinstance(link := value.get("object_link"), str):
            return ObjectLinkValue.parse(link)
        try:
            return base64.b64decode(str(value.get("base64")), validate=True)
        except (binascii.Error, ValueError):
            raise bad_request("VALIDATION_FAILED", "An opaque value must be base64.") from None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise bad_request(
        "VALIDATION_FAILED", "A value is text, a number, true, false, or an object with base64."
    )


def _to_json(value: Value) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, ObjectLinkValue):
        return {"object_link": str(value)}
    return value

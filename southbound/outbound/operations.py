"""What a command of the mailbox is on the wire: one function per operation. `answers` reads what comes back.

Arguments are JSON in the form that `devices.operations.services.operations` checked and wrote down; what jobs queue by
themselves has the same form. Nothing here asks the object model whether something may be done: the device says so.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from devices.commands.models import Operation
from lwm2m import formats
from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.links import choose_format, format_for, format_for_nothing
from lwm2m.messages import Request
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.paths import ROOT, Path
from lwm2m.values import typed
from southbound.peers.targets import Target

_TLV = (ContentFormat.TLV, ContentFormat.TLV_LEGACY)
_NO_EMPTY = (
    ContentFormat.SENML_JSON,
    ContentFormat.SENML_CBOR,
    ContentFormat.JSON,
    ContentFormat.JSON_LEGACY,
)
"""These have no record without a value."""
_ATTRIBUTES = ("pmin", "pmax", "lt", "gt", "st", "epmin", "epmax", "edge", "con", "hqmax")
_ORDER = {name: place for place, name in enumerate(_ATTRIBUTES)}
_ATTRIBUTES_APART = ("1.0", "1.1")
"""Before LwM2M 1.2 an Observe carries no attributes (OMA-TS-LightweightM2M_Core 6.4.1)."""
_NAMES_WITH_ROOT = "1.2"
"""SenML names repeat the alternate path since LwM2M 1.2.1, which registers as 1.2."""


def request(operation: str, path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    """The CoAP request of a command. Raises `Lwm2mError` for arguments that cannot be sent."""
    build = _BUILDERS.get(operation)
    if build is None:
        raise Lwm2mError(
            Code.NOT_IMPLEMENTED, "NOT_IMPLEMENTED", f"{operation} is not sent by this server yet."
        )
    return build(path, arguments, target)


def place(path: Path, target: Target) -> tuple[str, ...]:
    """Uri-Path: the alternate path, the end device of a gateway, the ids."""
    return target.root + ((target.prefix,) if target.prefix else ()) + path.segments


# -- reading -------------------------------------------------------------------------------------------------
def _read(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    accept = choose_format(target.object_links, target.version, arguments.get("content_format"))
    return Request(Code.GET, place(path, target), accept=accept)


def _discover(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    depth = arguments.get("depth")
    query = () if depth is None else (f"depth={depth}",)
    return Request(Code.GET, place(path, target), query, accept=int(ContentFormat.LINK))


def _read_composite(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    """FETCH: the paths go out in a format that the device knows, whatever the answer shall be in."""
    paths = arguments.get("paths")
    if not isinstance(paths, list) or not paths:
        raise bad_request("VALIDATION_FAILED", "A composite operation needs paths.")
    nodes = [Node(Path.parse(str(name)), prefix=_prefix(target)) for name in paths]
    content_format = _format(target, None, "composite")
    wish = arguments.get("content_format")
    return Request(
        Code.FETCH,
        target.root,
        content_format=content_format,
        payload=formats.encode(content_format, nodes, ROOT),
        accept=content_format if wish is None else int(wish),
    )


# -- writing -------------------------------------------------------------------------------------------------
def _write(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    # Partial update is POST, by default on an instance alone (OMA-TS-LightweightM2M_Core 6.3.3).
    mode = arguments.get("mode")
    replaces = mode == "replace" if mode else bool(arguments.get("replace", path.depth != 2))
    nodes, wish = _nodes(path, arguments, target), arguments.get("content_format")
    if wish is None and replaces and nodes[0].path == path:
        wish = format_for(nodes)
    content_format = _format(target, wish, "write")
    payload = formats.encode(content_format, nodes, path)
    code = Code.PUT if replaces else Code.POST
    return Request(code, place(path, target), content_format=content_format, payload=payload)


def _write_composite(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    nodes = _nodes(ROOT, arguments, target)
    wish = arguments.get("content_format")
    if wish is None and any(node.value is None for node in nodes):
        wish = int(ContentFormat.SENML_ETCH_CBOR)
    content_format = _format(target, wish, "composite")
    payload = formats.encode(content_format, nodes, ROOT)
    return Request(Code.IPATCH, target.root, content_format=content_format, payload=payload)


def _create(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    """Only TLV can leave the instance id to the device; in other formats the lowest free id is named (L-22)."""
    home = Path(path.object_id)
    instance_id = arguments.get("instance_id", path.instance_id)
    values = arguments.get("values") or {}
    wish = arguments.get("content_format")
    if instance_id is None and isinstance(values, Mapping):
        named = {Path.parse(str(name)).instance_id for name in values if str(name).startswith("/")}
        instance_id = named.pop() if len(named) == 1 else None
    if wish is None and not values:
        wish = format_for_nothing(target.object_links)
    is_open = instance_id is None
    if is_open:
        content_format = int(ContentFormat.TLV) if wish is None else int(wish)
        may_stay_open = content_format in _TLV and (wish is not None or _knows_tlv(target))
        if not may_stay_open:
            content_format = _format(target, wish, "write")
            instance_id, is_open = _free_id(home, target), False
    else:
        content_format = _format(target, wish, "write")
    below = home.child(0 if instance_id is None else int(instance_id))
    nodes = _below(below, values, arguments, target)
    base = below if is_open else home
    if not nodes and not is_open:
        if content_format in _NO_EMPTY:
            detail = f"Content format {content_format} has no form for an instance without values; use TLV."
            raise bad_request("VALIDATION_FAILED", detail)
        nodes = [Node(below, prefix=_own_prefix(target))]
    payload = formats.encode(content_format, nodes, base)
    return Request(Code.POST, place(home, target), content_format=content_format, payload=payload)


def _knows_tlv(target: Target) -> bool:
    return not target.announced or any(number in target.announced for number in _TLV)


def _free_id(home: Path, target: Target) -> int:
    links = target.object_links
    known = None if links is None or home.object_id is None else links.objects.get(home.object_id)
    taken = set(known.instances) if known is not None else set()
    return next(number for number in range(len(taken) + 1) if number not in taken)


def _delete(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return Request(Code.DELETE, place(path, target))


def _write_attributes(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    attributes = arguments.get("attributes")
    if not isinstance(attributes, Mapping) or not attributes:
        raise bad_request("VALIDATION_FAILED", "Write-Attributes needs attributes such as pmin or pmax.")
    return Request(Code.PUT, place(path, target), _query(attributes))


def _execute(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    text = str(arguments.get("arguments") or "")
    content_format = int(ContentFormat.TEXT) if text else None
    return Request(Code.POST, place(path, target), content_format=content_format, payload=text.encode())


# -- observing -----------------------------------------------------------------------------------------------
def _observe(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return _observing(_read(path, arguments, target), arguments, target, 0)


def _cancel_observe(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return _observing(_read(path, arguments, target), arguments, target, 1)


def _observe_composite(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return _observing(_read_composite(path, arguments, target), arguments, target, 0)


def _cancel_observe_composite(path: Path, arguments: Mapping[str, Any], target: Target) -> Request:
    return _observing(_read_composite(path, arguments, target), arguments, target, 1)


def _observing(read: Request, arguments: Mapping[str, Any], target: Target, observe: int) -> Request:
    """The Read with the Observe option; attributes are in the query since LwM2M 1.2, written apart before."""
    attributes = arguments.get("attributes") or {}
    query = () if target.version in _ATTRIBUTES_APART else _query(attributes)
    return replace(read, query=query, observe=observe)


def attributes_first(
    operation: str, path: Path, arguments: Mapping[str, Any], target: Target
) -> Request | None:
    """The Write-Attributes that has to be accepted before this Observe may leave; None where there is none.

    Raises `Lwm2mError` for a composite observation: there is no one place to write its attributes to.
    """
    if target.version not in _ATTRIBUTES_APART or not arguments.get("attributes"):
        return None
    if operation == Operation.OBSERVE_COMPOSITE:
        detail = f"Attributes of a composite observation need LwM2M 1.2; the device has {target.version}."
        raise bad_request("VALIDATION_FAILED", detail)
    return _write_attributes(path, arguments, target) if operation == Operation.OBSERVE else None


_BUILDERS: dict[str, Callable[[Path, Mapping[str, Any], Target], Request]] = {
    Operation.READ: _read,
    Operation.DISCOVER: _discover,
    Operation.WRITE: _write,
    Operation.WRITE_ATTRIBUTES: _write_attributes,
    Operation.EXECUTE: _execute,
    Operation.CREATE: _create,
    Operation.DELETE: _delete,
    Operation.READ_COMPOSITE: _read_composite,
    Operation.WRITE_COMPOSITE: _write_composite,
    Operation.OBSERVE: _observe,
    Operation.CANCEL_OBSERVE: _cancel_observe,
    Operation.OBSERVE_COMPOSITE: _observe_composite,
    Operation.CANCEL_OBSERVE_COMPOSITE: _cancel_observe_composite,
}


# -- parts ---------------------------------------------------------------------------------------------------
def _format(target: Target, wish: Any, use: str) -> int:
    operation: Any = use
    found = choose_format(target.object_links, target.version, wish, operation)
    return int(ContentFormat.TLV) if found is None else found


def _prefix(target: Target) -> str:
    """What stands before the ids in names from the root."""
    root = target.root_path if target.version >= _NAMES_WITH_ROOT else ""
    return "/".join(part for part in (root, target.prefix) if part)


def _own_prefix(target: Target) -> str:
    """What stands before the ids in names of a request to one place: an end device is named in them too.

    The Uri-Path names it already, but clients compare (Anjay, lwm2m_gateway).
    """
    return _prefix(target) if target.prefix else ""


def _query(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """In one order always: PostgreSQL keeps none, and the end of an observation repeats its options (int-303)."""
    named = sorted(attributes.items(), key=lambda pair: (_ORDER.get(pair[0], len(_ORDER)), pair[0]))
    return tuple(name if value is None else f"{name}={value}" for name, value in named)


def _nodes(path: Path, arguments: Mapping[str, Any], target: Target) -> list[Node]:
    prefix = _prefix(target) if path == ROOT else _own_prefix(target)
    if "value" in arguments:
        return [_node(path, arguments["value"], target, prefix)]
    values = arguments.get("values")
    if not isinstance(values, Mapping) or not values:
        raise bad_request("VALIDATION_FAILED", "There is nothing to write: give a value, or values by path.")
    return [_node(Path.parse(str(name)), value, target, prefix) for name, value in values.items()]


def _below(home: Path, values: Any, arguments: Mapping[str, Any], target: Target) -> list[Node]:
    """The values of an instance that shall be made: names are absolute, or relative to it."""
    if not isinstance(values, Mapping):
        raise bad_request("VALIDATION_FAILED", "values is an object of values by path.")
    paths: Iterable[tuple[Path, Any]] = (
        (Path.parse(str(name) if str(name).startswith("/") else f"{home}/{name}"), value)
        for name, value in values.items()
    )
    prefix = _own_prefix(target)
    return [_node(Path(*home.ids, *path.ids[2:]), value, target, prefix) for path, value in paths]


def _node(path: Path, value: Any, target: Target, prefix: str = "") -> Node:
    return Node(path, typed(_from_json(value), path, target.catalogue), prefix=prefix)


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

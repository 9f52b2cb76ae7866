"""OMA-TLV, 11542 and its pre-standard number 1542 (`OMA-TS-LightweightM2M_Core 7.4.5`).

TLV carries no types: without a model a decoded value stays the raw bytes. A value that does not fit its type
(its length, or no finite number) also stays raw, so that one odd resource does not hide the rest of the object.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence

from lwm2m import bounds
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.nodes import Node, ObjectLinkValue, Value, storable_text
from lwm2m.objects import Catalogue, ValueType
from lwm2m.paths import Path
from lwm2m.values import not_encodable

_INSTANCE, _RESOURCE_INSTANCE, _MULTIPLE, _RESOURCE = range(4)
_NUMBER_LENGTHS = (1, 2, 4, 8)
_Entry = tuple[int, int, bytes]


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """Read a payload about an object, instance, resource or resource instance.

    Resources right below an object belong to instance 0, as clients with a single instance write it. An
    empty instance or multiple resource is a node without a value.
    """
    if path.depth == 0:
        raise bad_request(
            "PAYLOAD_MALFORMED", "TLV cannot describe the root; ask for one object or use SenML."
        )
    _check_count(payload)
    return [node for entry in _entries(payload) for node in _below(entry, path, model)]


def _check_count(payload: bytes) -> None:
    """Bound the entries over all levels before any of them becomes a node; entries within others count too."""
    count, position, end = 0, 0, len(payload)
    most = bounds.values(end)
    while position < end:
        kind = payload[position]
        id_end = position + (3 if kind & 0x20 else 2)
        length_bytes = kind >> 3 & 0x03
        position = id_end + length_bytes
        if kind & 0x40:  # a resource or resource instance: its content is a value
            position += int.from_bytes(payload[id_end:position], "big") if length_bytes else kind & 0x07
        count += 1
        if count > most:
            bounds.check(count, end)


def _entries(data: bytes) -> Iterator[_Entry]:
    position, end = 0, len(data)
    while position < end:
        kind = data[position]
        id_end = position + (3 if kind & 0x20 else 2)
        length_bytes = kind >> 3 & 0x03
        value_at = id_end + length_bytes
        if value_at > end:
            raise bad_request(
                "PAYLOAD_MALFORMED", f"The TLV entry at byte {position} is cut off; send it whole."
            )
        length = int.from_bytes(data[id_end:value_at], "big") if length_bytes else kind & 0x07
        if value_at + length > end:
            raise bad_request(
                "PAYLOAD_MALFORMED", f"The TLV entry at byte {position} is longer than the payload."
            )
        identifier = int.from_bytes(data[position + 1 : id_end], "big")
        yield kind >> 6, identifier, data[value_at : value_at + length]
        position = value_at + length


def _below(entry: _Entry, path: Path, model: Catalogue | None) -> list[Node]:
    kind, identifier, value = entry
    if kind == _INSTANCE:
        return _instance(_descend(path, 1, identifier), value, path, model)
    if kind == _RESOURCE_INSTANCE:
        return _value(_descend(path, 3, identifier), value, path, model)
    resource = _descend(path, 2, identifier)
    if kind == _RESOURCE:
        return _value(resource, value, path, model)
    return _multiple(resource, value, path, model)


def _descend(path: Path, depth: int, identifier: int) -> Path:
    """The node with this id at this depth, on or below the asked path."""
    ids = path.ids[:depth]
    if len(ids) == 1 and depth == 2:
        ids = (*ids, 0)
    if len(ids) != depth:
        raise bad_request(
            "PAYLOAD_MALFORMED", f"A TLV entry is of the wrong kind for {path}; check its type bits."
        )
    return Path(*(*ids, identifier))


def _within(found: Path, path: Path) -> None:
    if not path.contains(found):
        raise bad_request("PAYLOAD_MALFORMED", f"The payload speaks of {found}, which is not in {path}.")


def _instance(instance: Path, content: bytes, path: Path, model: Catalogue | None) -> list[Node]:
    if not (path.contains(instance) or instance.contains(path)):
        _within(instance, path)
    nodes = [node for entry in _entries(content) for node in _in_instance(entry, instance, path, model)]
    return nodes or ([Node(instance)] if path.contains(instance) else [])


def _in_instance(entry: _Entry, instance: Path, path: Path, model: Catalogue | None) -> list[Node]:
    kind, identifier, value = entry
    if kind not in (_RESOURCE, _MULTIPLE):
        raise bad_request(
            "PAYLOAD_MALFORMED", f"A TLV entry in {instance} is no resource; check its type bits."
        )
    resource = instance.child(identifier)
    return (_value if kind == _RESOURCE else _multiple)(resource, value, path, model)


def _multiple(resource: Path, content: bytes, path: Path, model: Catalogue | None) -> list[Node]:
    nodes: list[Node] = []
    for kind, identifier, value in _entries(content):
        if kind != _RESOURCE_INSTANCE:
            raise bad_request("PAYLOAD_MALFORMED", f"An entry in {resource} is no resource instance.")
        nodes.extend(_value(resource.child(identifier), value, path, model))
    if not nodes:
        _within(resource, path)
        nodes.append(Node(resource))
    return nodes


def _value(found: Path, raw: bytes, path: Path, model: Catalogue | None) -> list[Node]:
    _within(found, path)
    known = model.resource(found) if model is not None else None
    return [Node(found, raw if known is None else _typed(raw, known.type))]


def _typed(raw: bytes, kind: ValueType) -> Value:
    try:
        match kind:
            case ValueType.STRING | ValueType.CORE_LINK:
                return storable_text(raw.decode())
            case ValueType.INTEGER | ValueType.TIME:
                return int.from_bytes(raw, "big", signed=True) if len(raw) in _NUMBER_LENGTHS else raw
            case ValueType.UNSIGNED:
                return int.from_bytes(raw, "big") if len(raw) in _NUMBER_LENGTHS else raw
            case ValueType.FLOAT if len(raw) in (4, 8):
                number = float(struct.unpack(">f" if len(raw) == 4 else ">d", raw)[0])
                return number if math.isfinite(number) else raw
            case ValueType.BOOLEAN if raw in (b"\x00", b"\x01"):
                return raw == b"\x01"
            case ValueType.OBJECT_LINK if len(raw) == 4:
                return ObjectLinkValue(*struct.unpack(">HH", raw))
    except (UnicodeDecodeError, Lwm2mError):
        return raw
    return raw


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write nodes of one object; types follow the Python values, whole numbers in the fewest bytes."""
    if path.depth == 0:
        raise not_encodable("TLV cannot describe the root; write one object at a time.")
    for node in nodes:
        _within(node.path, path)
        if node.path.depth < 2:
            raise not_encodable(f"{node.path} is no instance or resource; name what to write.")
    if path.depth > 1:
        return _resources(nodes, path)
    groups: dict[int, list[Node]] = {}
    for node in nodes:
        groups.setdefault(node.path.ids[1], []).append(node)
    return b"".join(
        _entry(_INSTANCE, instance, _resources(group, path.child(instance)))
        for instance, group in sorted(groups.items())
    )


def _resources(nodes: Sequence[Node], path: Path) -> bytes:
    if path.depth == 4:
        return b"".join(_entry(_RESOURCE_INSTANCE, node.path.ids[3], _bytes(node)) for node in nodes)
    singles: dict[int, bytes] = {}
    multiples: dict[int, dict[int, bytes]] = {}
    for node in nodes:
        ids = node.path.ids
        if len(ids) == 4:
            multiples.setdefault(ids[2], {})[ids[3]] = _bytes(node)
        elif len(ids) == 3 and node.value is None:
            multiples.setdefault(ids[2], {})
        elif len(ids) == 3:
            singles[ids[2]] = _bytes(node)
    written = {number: _entry(_RESOURCE, number, value) for number, value in singles.items()}
    for number, instances in multiples.items():
        if number in written:
            raise not_encodable(f"Resource {number} is both single and multiple; write it one way.")
        parts = (_entry(_RESOURCE_INSTANCE, key, value) for key, value in sorted(instances.items()))
        written[number] = _entry(_MULTIPLE, number, b"".join(parts))
    return b"".join(written[number] for number in sorted(written))


def _entry(kind: int, identifier: int, value: bytes) -> bytes:
    wide = identifier > 0xFF
    head = kind << 6 | (0x20 if wide else 0)
    written_id = identifier.to_bytes(2 if wide else 1, "big")
    length = len(value)
    if length < 8:
        return bytes((head | length,)) + written_id + value
    size = 1 if length <= 0xFF else 2 if length <= 0xFFFF else 3
    if length > 0xFFFFFF:
        raise not_encodable("The value is over 16 MB; send it in parts.")
    return bytes((head | size << 3,)) + written_id + length.to_bytes(size, "big") + value


def _bytes(node: Node) -> bytes:
    match node.value:
        case bool() as flag:
            return b"\x01" if flag else b"\x00"
        case int() as number:
            return _whole(number)
        case float() as number:
            return _real(number)
        case str() as text:
            return text.encode(errors="replace")
        case bytes() as raw:
            return raw
        case ObjectLinkValue() as link:
            return struct.pack(">HH", link.object_id, link.instance_id)
        case _:
            raise not_encodable(f"{node.path} has no value; TLV cannot write that.")


def _whole(number: int) -> bytes:
    for size in _NUMBER_LENGTHS:
        if -(1 << size * 8 - 1) <= number < 1 << size * 8 - 1:
            return number.to_bytes(size, "big", signed=True)
    if 0 < number < 1 << 64:
        return number.to_bytes(8, "big")
    raise not_encodable("The number needs more than 64 bits; use a smaller one.")


def _real(number: float) -> bytes:
    """Four bytes where they hold the number exactly, else eight."""
    try:
        short = struct.pack(">f", number)
    except OverflowError:
        return struct.pack(">d", number)
    return short if struct.unpack(">f", short)[0] == number else struct.pack(">d", number)

"""SenML records and LwM2M nodes (`RFC 8428 section 4`, `OMA-TS-LightweightM2M_Core 7.4.3`), in no encoding.

A record is a mapping with the JSON labels; the CBOR form maps its number labels to these before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lwm2m.errors import bad_request
from lwm2m.nodes import Node, ObjectLinkValue, Value, storable_text
from lwm2m.objects import Catalogue
from lwm2m.paths import Path
from lwm2m.values import is_number, not_encodable, typed

MAX_RECORDS = 65_536
MAX_NAME_LENGTH = 256
VERSION = 10

_VALUES = ("v", "vs", "vb", "vd", "vlo")

Opaque = Callable[[Any], bytes]


def to_nodes(
    records: object,
    path: Path,
    *,
    opaque: Opaque,
    model: Catalogue | None = None,
) -> list[Node]:
    """Resolve base fields and names; ``opaque`` turns the encoding's form of ``vd`` into bytes.

    Raises 4.00 ``PAYLOAD_MALFORMED``, also for a name outside ``path``.
    """
    if not isinstance(records, list) or len(records) > MAX_RECORDS:
        raise bad_request(
            "PAYLOAD_MALFORMED", f"SenML is an array of at most {MAX_RECORDS} records; send one."
        )
    base_name, base_time, base_value = "", 0.0, 0.0
    nodes: list[Node] = []
    for record in records:
        if not isinstance(record, Mapping):
            raise bad_request("PAYLOAD_MALFORMED", "A SenML record is not an object with labels.")
        _check_understood(record)
        base_name = _text(record, "bn", base_name)
        base_time = _number(record, "bt", base_time)
        base_value = _number(record, "bv", base_value)
        name = _text(record, "n", "")
        if not name and "n" not in record and not _has_content(record):
            continue
        found, prefix = _place(base_name + name, path)
        value = typed(_value(record, opaque, base_value), found, model)
        if value is not None and found.depth < 3:
            raise bad_request("PAYLOAD_MALFORMED", f"{found} is no resource and cannot have a value.")
        time = base_time + _number(record, "t", 0.0)
        timed = "t" in record or base_time != 0.0
        nodes.append(Node(found, value, time if timed else None, prefix))
    return nodes


def _has_content(record: Mapping[str, Any]) -> bool:
    """A record with nothing but base fields only sets them, unless its base name is all there is."""
    return any(label in record for label in (*_VALUES, "s")) or set(record) == {"bn"}


def _check_understood(record: Mapping[str, Any]) -> None:
    version = record.get("bver", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise bad_request("PAYLOAD_MALFORMED", "This SenML version is not known here; use version 10.")
    if any(isinstance(label, str) and label.endswith("_") for label in record):
        raise bad_request("PAYLOAD_MALFORMED", "A SenML label that must be understood is not known here.")


def _text(record: Mapping[str, Any], label: str, default: str) -> str:
    value = record.get(label, default)
    if not isinstance(value, str) or len(value) > MAX_NAME_LENGTH:
        raise bad_request("PAYLOAD_MALFORMED", f"{label} of a SenML record is not a short text.")
    return value


def _number(record: Mapping[str, Any], label: str, default: float) -> float:
    value = record.get(label, default)
    if not is_number(value):
        raise bad_request("PAYLOAD_MALFORMED", f"{label} of a SenML record is not a number.")
    return float(value)


def _place(name: str, path: Path) -> tuple[Path, str]:
    """A name as path and prefix; a record without any name speaks of the asked path itself."""
    if not name and path.depth:
        return path, ""
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise bad_request("PAYLOAD_MALFORMED", "A SenML name is not a path; send /object/instance/resource.")
    segments = name.strip("/").split("/") if name.strip("/") else []
    ids_from = len(segments)
    while ids_from and segments[ids_from - 1].isdigit():
        ids_from -= 1
    found = Path.of(tuple(segments[ids_from:]))
    if not path.contains(found):
        raise bad_request("PAYLOAD_MALFORMED", f"The payload speaks of {found}, which is not in {path}.")
    return found, "/".join(segments[:ids_from])


def _value(record: Mapping[str, Any], opaque: Opaque, base_value: float) -> Value:
    given = [label for label in _VALUES if label in record]
    if len(given) > 1:
        raise bad_request("PAYLOAD_MALFORMED", "A SenML record has more than one value; send one.")
    if not given:
        return None
    label, value = given[0], record[given[0]]
    match label:
        case "v" if value is None:
            return None
        case "v" if is_number(value):
            total: float = value + base_value if base_value else value
            if is_number(total):
                return total
        case "vs" if isinstance(value, str):
            return storable_text(value)
        case "vb" if isinstance(value, bool):
            return value
        case "vd":
            return opaque(value)
        case "vlo" if isinstance(value, str):
            return ObjectLinkValue.parse(value)
    raise bad_request("PAYLOAD_MALFORMED", f"{label} of a SenML record holds another type than it may.")


def to_records(
    nodes: Sequence[Node], path: Path, *, opaque: Callable[[bytes], Any], deletes: bool = False
) -> list[dict[str, Any]]:
    """Write nodes as records with one base name where all lie below ``path``.

    A node without a value is a bare name (a path to read), or ``v: null`` when ``deletes`` (ETCH).
    """
    if len(nodes) > MAX_RECORDS:
        raise not_encodable(f"More than {MAX_RECORDS} values; send fewer at once.")
    for node in nodes:
        if not path.contains(node.path):
            raise bad_request("PAYLOAD_MALFORMED", f"{node.path} is not in {path}; write it on its own.")
    prefixes = {node.prefix for node in nodes}
    base = ""
    if path.depth and len(prefixes) == 1:
        only = len(nodes) == 1 and nodes[0].path == path
        base = _name(prefixes.pop(), path) + ("" if only or path.depth == 4 else "/")
    records: list[dict[str, Any]] = []
    for node in nodes:
        record: dict[str, Any] = {"bn": base} if base and not records else {}
        name = _name(node.prefix, node.path).removeprefix(base)
        if name and base and node.path == path:
            raise not_encodable(f"{path} cannot stand beside values below it; write it on its own.")
        record.update({"n": name} if name else {})
        record.update({} if node.time is None else {"t": _short(node.time)})
        record.update(_labelled(node, opaque, deletes))
        records.append(record)
    return records


def _name(prefix: str, path: Path) -> str:
    return f"/{prefix}{path}" if prefix else str(path)


def _short(time: float) -> float:
    return int(time) if time.is_integer() else time


def _labelled(node: Node, opaque: Callable[[bytes], Any], deletes: bool) -> dict[str, Any]:
    match node.value:
        case None:
            return {"v": None} if deletes else {}
        case bool() as flag:
            return {"vb": flag}
        case int() | float() as number if is_number(number):
            return {"v": number}
        case str() as text:
            return {"vs": text}
        case bytes() as raw:
            return {"vd": opaque(raw)}
        case ObjectLinkValue() as link:
            return {"vlo": str(link)}
        case _:
            raise not_encodable(f"{node.path} is not a finite number; SenML cannot write that.")

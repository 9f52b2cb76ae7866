"""SenML records and LwM2M nodes (`RFC 8428 section 4`, `OMA-TS-LightweightM2M_Core 7.4.3`), in no encoding.

A record is a mapping with the JSON labels; the CBOR form maps its number labels to these before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from lwm2m import bounds
from lwm2m import names as names_in
from lwm2m.date_times import DateTimeText
from lwm2m.errors import bad_request
from lwm2m.nodes import Node, ObjectLinkValue, Value, storable_text
from lwm2m.objects import Catalogue
from lwm2m.paths import Path
from lwm2m.values import is_number, not_encodable, present, typed

MAX_RECORDS = 65_536
VERSION = 10

_VALUES = frozenset({"v", "vs", "vb", "vd", "vlo"})
_BASES = frozenset({"bver", "bn", "bt", "bu", "bv", "bs"})
_KNOWN = _VALUES | _BASES | {"n", "u", "s", "t", "ut"}

Opaque = Callable[[Any], bytes]


@dataclass(slots=True)
class _Bases:
    """The base fields as the records so far have set them (`RFC 8428 section 4.1`)."""

    name: str = ""
    time: float = 0.0
    value: float = 0.0

    def take(self, record: Mapping[str, Any]) -> None:
        version = record.get("bver", VERSION)
        if not isinstance(version, int) or version > VERSION:
            raise bad_request("PAYLOAD_MALFORMED", "This SenML version is not known here; use version 10.")
        self.name = _text(record, "bn", self.name)
        self.time = _number(record, "bt", self.time)
        self.value = _number(record, "bv", self.value)


def to_nodes(
    records: object,
    path: Path,
    *,
    size: int,
    opaque: Opaque,
    model: Catalogue | None = None,
    names: bool = False,
    deletes: bool = False,
) -> list[Node]:
    """Resolve base fields and names; ``opaque`` turns the encoding's form of ``vd`` into bytes.

    ``size`` is that of the payload. With ``names`` the records are those of a composite request: they may name
    a path and no value, and with ``deletes`` (ETCH) say ``v: null``. Otherwise every record has a value, but
    those that only set base fields. Raises 4.00 ``PAYLOAD_MALFORMED``, also for a name outside ``path``.
    """
    if not isinstance(records, list):
        raise bad_request("PAYLOAD_MALFORMED", "SenML is an array of records; send one.")
    bounds.check(len(records), size, bounds.LEAST_BYTES_NAMED)
    bases = _Bases()
    nodes: list[Node] = []
    for record in records:
        if not isinstance(record, dict):
            raise bad_request("PAYLOAD_MALFORMED", "A SenML record is not an object with labels.")
        _check_understood(record)
        if not _BASES.isdisjoint(record):
            bases.take(record)
        if _is_base_only(record, names):
            continue
        found, prefix = names_in.place(bases.name + _text(record, "n", ""), path)
        value = typed(_value(record, opaque, bases.value, deletes), found, model)
        if value is None and not names:
            present(value, found)
        if value is not None and found.depth < 3:
            raise bad_request("PAYLOAD_MALFORMED", f"{found} is no resource and cannot have a value.")
        nodes.append(Node(found, value, _time(record, bases.time, found), prefix))
    return nodes


def _is_base_only(record: Mapping[str, Any], names: bool) -> bool:
    """A record with nothing but base fields only sets them; as a name its base name may be all there is."""
    if not names:
        return bool(record) and record.keys() <= _BASES
    return "n" not in record and _VALUES.isdisjoint(record) and set(record) != {"bn"}


def _check_understood(record: Mapping[Any, Any]) -> None:
    for label in record:
        if label not in _KNOWN and isinstance(label, str) and label.endswith("_"):
            raise bad_request("PAYLOAD_MALFORMED", "A SenML label that must be understood is not known here.")


def _time(record: Mapping[str, Any], base_time: float, found: Path) -> float | None:
    """None where neither the record nor its base says a time."""
    if "t" not in record and base_time == 0.0:
        return None
    time = base_time + _number(record, "t", 0.0)
    if not isfinite(time):
        raise bad_request("PAYLOAD_MALFORMED", f"The time of {found} is no finite number.")
    return time


def _text(record: Mapping[str, Any], label: str, default: str) -> str:
    value = record.get(label, default)
    if not isinstance(value, str) or len(value) > names_in.MAX_LENGTH:
        raise bad_request("PAYLOAD_MALFORMED", f"{label} of a SenML record is not a short text.")
    return value


def _number(record: Mapping[str, Any], label: str, default: float) -> float:
    value = record.get(label, default)
    if not is_number(value):
        raise bad_request("PAYLOAD_MALFORMED", f"{label} of a SenML record is not a number.")
    return float(value)


def _value(record: Mapping[str, Any], opaque: Opaque, base_value: float, deletes: bool) -> Value:
    given = [label for label in record if label in _VALUES]
    if len(given) > 1:
        raise bad_request("PAYLOAD_MALFORMED", "A SenML record has more than one value; send one.")
    if not given:
        return None
    label, value = given[0], record[given[0]]
    match label:
        case "v" if value is None and deletes:
            return None
        case "v" | "vs" if isinstance(value, DateTimeText):
            # `OMA-TS-LightweightM2M_Core` 1.1.1 table C.2 does not say under which label a date/time goes.
            return value
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
        base = names_in.written(prefixes.pop(), path) + ("" if only or path.depth == 4 else "/")
    records: list[dict[str, Any]] = []
    for node in nodes:
        record: dict[str, Any] = {"bn": base} if base and not records else {}
        name = names_in.written(node.prefix, node.path).removeprefix(base)
        if name and base and node.path == path:
            raise not_encodable(f"{path} cannot stand beside values below it; write it on its own.")
        record.update({"n": name} if name else {})
        record.update({} if node.time is None else {"t": _short(node.time)})
        record.update(_labelled(node, opaque, deletes))
        records.append(record)
    return records


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

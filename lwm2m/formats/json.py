"""The LwM2M JSON of 1.0, 11543 and its pre-standard number 1543 (`OMA-TS-LightweightM2M_Core 7.4.4` of 1.0).

One object with a base name ``bn`` and entries ``e``. Opaque values are base64 in ``sv``, so that only a
model can tell them from text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from lwm2m import bounds, json_text, values
from lwm2m import names as names_in
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.nodes import Node, ObjectLinkValue, Value, storable_text
from lwm2m.objects import Catalogue, ValueType
from lwm2m.paths import Path

_VALUES = ("v", "bv", "sv", "ov")


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """Read entries; a missing ``bn`` stands for the asked path."""
    content = json_text.loads(payload)
    entries = content.get("e") if isinstance(content, Mapping) else None
    if not isinstance(entries, list):
        raise bad_request("PAYLOAD_MALFORMED", 'LwM2M JSON is {"bn":…,"e":[…]}; send at least an empty e.')
    bounds.check(len(entries), len(payload), bounds.LEAST_BYTES_NAMED)
    base_time = _time(content, "bt")
    base_name = _short_text(content.get("bn", str(path))).rstrip("/")
    return [_node(entry, base_name, base_time, path, model) for entry in entries]


def _node(entry: Any, base_name: str, base_time: float | None, path: Path, model: Catalogue | None) -> Node:
    if not isinstance(entry, Mapping):
        raise bad_request("PAYLOAD_MALFORMED", "An entry of LwM2M JSON is not an object.")
    name = _short_text(entry.get("n", ""))
    found, prefix = names_in.place(f"{base_name}/{name.strip('/')}", path)
    if found.depth < 3:
        raise bad_request("PAYLOAD_MALFORMED", f"{found} is no resource and cannot have a value.")
    time = _time(entry, "t")
    if base_time is not None:
        time = base_time + (time or 0.0)
    if time is not None and not isfinite(time):
        raise bad_request("PAYLOAD_MALFORMED", f"The time of {found} is no finite number.")
    return Node(found, _value(entry, found, model), time, prefix)


def _short_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > names_in.MAX_LENGTH:
        raise bad_request("PAYLOAD_MALFORMED", "A name of LwM2M JSON is not a short text.")
    return value


def _time(holder: Mapping[str, Any], label: str) -> float | None:
    if label not in holder:
        return None
    if not values.is_number(holder[label]):
        raise bad_request("PAYLOAD_MALFORMED", f"{label} of LwM2M JSON is not a number.")
    return float(holder[label])


def _value(entry: Mapping[str, Any], path: Path, model: Catalogue | None) -> Value:
    given = [label for label in _VALUES if label in entry]
    if len(given) > 1:
        raise bad_request("PAYLOAD_MALFORMED", "An entry of LwM2M JSON has more than one value; send one.")
    if not given:
        return values.present(None, path)
    value = entry[given[0]]
    match given[0]:
        case "v" if values.is_number(value):
            return values.typed(value, path, model)
        case "bv" if isinstance(value, bool):
            return value
        case "sv" if isinstance(value, str):
            return _text(storable_text(value), path, model)
        case "ov" if isinstance(value, str):
            return ObjectLinkValue.parse(value)
    raise bad_request("PAYLOAD_MALFORMED", f"{given[0]} of LwM2M JSON holds another type than it may.")


def _text(text: str, path: Path, model: Catalogue | None) -> Value:
    """Bytes are base64 in text; an object link belongs into ``ov``, but Leshan writes it as text."""
    known = model.resource(path) if model is not None else None
    try:
        if known is not None and known.type is ValueType.OPAQUE:
            return json_text.from_base64(text)
        if known is not None and known.type is ValueType.OBJECT_LINK:
            return ObjectLinkValue.parse(text)
    except Lwm2mError:
        pass  # a text after all
    return text


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write nodes below one base name; those without a value have no form here."""
    for node in nodes:
        if not path.contains(node.path) or node.path.depth < 3:
            raise bad_request("PAYLOAD_MALFORMED", f"{node.path} is no resource in {path}.")
    prefixes = {node.prefix for node in nodes}
    home = names_in.written(prefixes.pop(), path) if len(prefixes) == 1 else "/"
    single = len(nodes) == 1 and nodes[0].path == path
    base = home if single else f"{home.rstrip('/')}/"
    entries = [_entry(node, base) for node in nodes]
    return json_text.dumps({"bn": base, "e": entries})


def _entry(node: Node, base: str) -> dict[str, Any]:
    name = names_in.written(node.prefix, node.path).removeprefix(base)
    entry: dict[str, Any] = {"n": name} if name else {}
    if node.time is not None:
        entry["t"] = node.time
    match node.value:
        case bool() as flag:
            entry["bv"] = flag
        case int() | float() as number if values.is_number(number):
            entry["v"] = number
        case str() as text:
            entry["sv"] = text
        case bytes() as raw:
            entry["sv"] = json_text.to_base64(raw)
        case ObjectLinkValue() as link:
            entry["ov"] = str(link)
        case _:
            raise values.not_encodable(f"{node.path} has no finite value; LwM2M JSON cannot write that.")
    return entry

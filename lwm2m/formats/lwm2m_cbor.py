"""LwM2M CBOR, 11544 (`OMA-TS-LightweightM2M_Core 7.4.7` of 1.2): maps of ids, nested or with joined keys.

A key is one id, a prefix text of a gateway device, or an array of them. An empty map is an instance or a
multiple resource with nothing in it; a null value is a path that a composite request names. There are no times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from lwm2m import bounds, cbor, values
from lwm2m import names as names_in
from lwm2m.errors import bad_request
from lwm2m.nodes import Node, ObjectLinkValue
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

MAX_KEYS = 12

_Name = tuple[int | str, ...]


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """Read nested maps; names are from the root, wherever the request pointed."""
    content = cbor.loads(payload)
    if not isinstance(content, dict):
        raise bad_request("PAYLOAD_MALFORMED", "LwM2M CBOR is a map from ids to values; send one.")
    found = list(_flat(content, ()))
    bounds.check(len(found), len(payload))
    return [_node(name, value, path, model, names) for name, value in found]


def _flat(content: dict[Any, Any], above: _Name) -> Iterator[tuple[_Name, Any]]:
    """Every value with the whole array of its keys."""
    for key, value in content.items():
        name = above + (key if isinstance(key, tuple) else (key,))
        if len(name) > MAX_KEYS:
            raise bad_request("PAYLOAD_MALFORMED", f"A path of LwM2M CBOR has more than {MAX_KEYS} keys.")
        if isinstance(value, dict) and value:
            yield from _flat(value, name)
        else:
            yield name, value


def _node(name: _Name, value: Any, path: Path, model: Catalogue | None, names: bool) -> Node:
    found, prefix = _place(name, path)
    if value == {}:
        return Node(found, None, None, prefix)
    plain = values.typed(values.plain(value), found, model)
    if plain is not None and found.depth < 3:
        raise bad_request("PAYLOAD_MALFORMED", f"{found} is no resource and cannot have a value.")
    return Node(found, plain if names else values.present(plain, found), None, prefix)


def _place(name: _Name, path: Path) -> tuple[Path, str]:
    start = 0
    while start < len(name) and isinstance(name[start], str):
        start += 1
    ids = name[start:]
    prefix = "/".join([str(part).strip("/") for part in name[:start]]) if start else ""
    if len(ids) > 4 or str in map(type, ids) or len(prefix) > names_in.MAX_LENGTH or not prefix.isprintable():
        raise bad_request("PAYLOAD_MALFORMED", "A key of LwM2M CBOR is no path; use at most four ids.")
    found = Path(*ids)  # type: ignore[arg-type]
    names_in.within(found, path)
    return found, prefix


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write nested maps from the root; a time has no form and is left out.

    A node without a value is a bare path where ``path`` is the root, as in a composite request; elsewhere it
    is an empty instance or multiple resource.
    """
    bare: dict[Any, Any] | None = {} if path.depth else None
    tree: dict[Any, Any] = {}
    for node in nodes:
        if not path.contains(node.path):
            raise bad_request("PAYLOAD_MALFORMED", f"{node.path} is not in {path}; write it on its own.")
        _put(tree, ((node.prefix,) if node.prefix else ()) + node.path.ids, node, bare)
    return cbor.dumps(tree)


def _put(tree: dict[Any, Any], name: _Name, node: Node, bare: Any) -> None:
    if not name:
        raise values.not_encodable("The root has no key of its own in LwM2M CBOR; use SenML.")
    for key in name[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise values.not_encodable(f"{node.path} lies below a value; write one of them.")
    if name[-1] in tree:
        raise values.not_encodable(f"{node.path} is written twice; write it once.")
    value = node.value
    if isinstance(value, float) and not math.isfinite(value):
        raise values.not_encodable(f"{node.path} is not a finite number.")
    if value is None:
        value = bare
    tree[name[-1]] = str(value) if isinstance(value, ObjectLinkValue) else value

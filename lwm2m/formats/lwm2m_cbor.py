"""LwM2M CBOR, 11544 (`OMA-TS-LightweightM2M_Core 7.4.7` of 1.2): maps of ids, nested or with joined keys.

A key is one id, a prefix text of a gateway device, or an array of them; a null value is a path without a
value. The format has no times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lwm2m import cbor, values
from lwm2m.errors import bad_request
from lwm2m.nodes import Node, ObjectLinkValue
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

MAX_NODES = 65_536


def decode(payload: bytes, path: Path, model: Catalogue | None = None) -> list[Node]:
    """Read nested maps; names are from the root, wherever the request pointed."""
    content = cbor.loads(payload)
    if not isinstance(content, dict):
        raise bad_request("PAYLOAD_MALFORMED", "LwM2M CBOR is a map from ids to values; send one.")
    nodes: list[Node] = []
    _walk(content, (), path, model, nodes)
    return nodes


def _walk(
    content: dict[Any, Any],
    above: tuple[int | str, ...],
    path: Path,
    model: Catalogue | None,
    nodes: list[Node],
) -> None:
    for key, value in content.items():
        name = above + (key if isinstance(key, tuple) else (key,))
        if isinstance(value, dict) and value and len(name) < 12:
            _walk(value, name, path, model, nodes)
            continue
        if len(nodes) == MAX_NODES:
            raise bad_request("PAYLOAD_MALFORMED", f"More than {MAX_NODES} values in one payload.")
        nodes.append(_node(name, None if value == {} else value, path, model))


def _node(name: tuple[int | str, ...], value: Any, path: Path, model: Catalogue | None) -> Node:
    start = next((at for at, part in enumerate(name) if isinstance(part, int)), len(name))
    ids = [part for part in name[start:] if isinstance(part, int)]
    prefix = "/".join(str(part).strip("/") for part in name[:start])
    if len(ids) != len(name) - start or len(ids) > 4 or len(prefix) > 64 or not prefix.isprintable():
        raise bad_request("PAYLOAD_MALFORMED", "A key of LwM2M CBOR is no path; use at most four ids.")
    found = Path(*ids)
    if not path.contains(found):
        raise bad_request("PAYLOAD_MALFORMED", f"The payload speaks of {found}, which is not in {path}.")
    plain = values.typed(values.plain(value), found, model)
    if plain is not None and found.depth < 3:
        raise bad_request("PAYLOAD_MALFORMED", f"{found} is no resource and cannot have a value.")
    return Node(found, plain, None, prefix)


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write nested maps from the root; a time has no form and is left out."""
    tree: dict[Any, Any] = {}
    for node in nodes:
        if not path.contains(node.path):
            raise bad_request("PAYLOAD_MALFORMED", f"{node.path} is not in {path}; write it on its own.")
        _put(tree, ((node.prefix,) if node.prefix else ()) + node.path.ids, node)
    return cbor.dumps(tree)


def _put(tree: dict[Any, Any], name: tuple[int | str, ...], node: Node) -> None:
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
    tree[name[-1]] = str(value) if isinstance(value, ObjectLinkValue) else value

"""The rule of the formats that carry one bare value: the path must be one resource or resource instance."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m.errors import bad_request
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue, ValueType
from lwm2m.paths import Path

_TEXTS = (ValueType.STRING, ValueType.CORE_LINK)
_SIZELESS = (*_TEXTS, ValueType.OPAQUE)


def check(path: Path) -> Path:
    """Give the path back; raise 4.00 ``PAYLOAD_MALFORMED`` when it is not deep enough for a bare value."""
    if path.depth < 3:
        raise bad_request("PAYLOAD_MALFORMED", f"{path} is no single resource; use SenML or TLV for it.")
    return path


def empty(path: Path, model: Catalogue | None) -> str | bytes:
    """What no bytes at all mean: an empty text, or zero bytes where the model does not say text.

    Raises 4.00 ``PAYLOAD_MALFORMED`` where the model wants a number, a boolean or a link.
    """
    known = model.resource(path) if model is not None else None
    if known is None or known.type is ValueType.UNKNOWN:
        return b""
    if known.type not in _SIZELESS:
        raise bad_request(
            "PAYLOAD_MALFORMED", f"{path} is of type {known.type.value} and came without a value."
        )
    return "" if known.type in _TEXTS else b""


def only(nodes: Sequence[Node], path: Path) -> Node:
    """The one node to write, which stands at ``path`` or is its only instance; else 4.00."""
    if len(nodes) != 1 or (check(path) and not path.contains(nodes[0].path)):
        raise bad_request("VALIDATION_FAILED", f"This format writes exactly one value at {path}.")
    return nodes[0]

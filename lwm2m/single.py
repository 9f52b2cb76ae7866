"""The rule of the formats that carry one bare value: the path must be one resource or resource instance."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m.errors import bad_request
from lwm2m.nodes import Node
from lwm2m.paths import Path


def check(path: Path) -> Path:
    """Give the path back; raise 4.00 ``PAYLOAD_MALFORMED`` when it is not deep enough for a bare value."""
    if path.depth < 3:
        raise bad_request("PAYLOAD_MALFORMED", f"{path} is no single resource; use SenML or TLV for it.")
    return path


def only(nodes: Sequence[Node], path: Path) -> Node:
    """The one node to write, which stands at ``path`` or is its only instance; else 4.00."""
    if len(nodes) != 1 or (check(path) and not path.contains(nodes[0].path)):
        raise bad_request("VALIDATION_FAILED", f"This format writes exactly one value at {path}.")
    return nodes[0]

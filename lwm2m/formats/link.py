"""Link format, 40, as a value: a resource of type Corelnk, or what Discover answers, kept as text.

`lwm2m.links` reads the links themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m import single
from lwm2m.core_links import parse_links
from lwm2m.errors import bad_request
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """One node with the text, once it has been seen to be links; ``path`` may be of any depth (Discover)."""
    parse_links(payload)
    return [Node(path, payload.decode())]


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    value = single.only(nodes, path).value
    if not isinstance(value, str):
        raise bad_request("VALIDATION_FAILED", f"{path} is not link text; write it in another format.")
    return value.encode(errors="replace")

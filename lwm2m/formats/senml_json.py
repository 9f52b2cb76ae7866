"""SenML JSON, 110 (`RFC 8428 section 5`); ``vd`` is base64url without padding."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m import json_text, senml
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """Read values, with ``names`` also the paths of a composite read as nodes without a value."""
    records = json_text.loads(payload)
    return senml.to_nodes(
        records, path, size=len(payload), opaque=json_text.from_base64, model=model, names=names
    )


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write values; a node without one is the bare path that a composite read sends."""
    return json_text.dumps(senml.to_records(nodes, path, opaque=json_text.to_base64url))

"""SenML-ETCH JSON, 320 (`RFC 8790`): as SenML JSON, but ``v: null`` deletes what a record names."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m import json_text, senml
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """Read values, with ``names`` also deletions as nodes without a value."""
    records = json_text.loads(payload)
    return senml.to_nodes(
        records,
        path,
        size=len(payload),
        opaque=json_text.from_base64,
        model=model,
        names=names,
        deletes=names,
    )


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write writes, and nodes without a value as deletions."""
    return json_text.dumps(senml.to_records(nodes, path, opaque=json_text.to_base64url, deletes=True))

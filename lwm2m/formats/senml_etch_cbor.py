"""SenML-ETCH CBOR, 322 (`RFC 8790`): as SenML CBOR, but a null value deletes what a record names."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m import senml, senml_labels
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """Read values, with ``names`` also deletions as nodes without a value."""
    records = senml_labels.loads(payload)
    return senml.to_nodes(
        records,
        path,
        size=len(payload),
        opaque=senml_labels.opaque,
        model=model,
        names=names,
        deletes=names,
    )


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write writes, and nodes without a value as deletions."""
    return senml_labels.dumps(senml.to_records(nodes, path, opaque=bytes, deletes=True))

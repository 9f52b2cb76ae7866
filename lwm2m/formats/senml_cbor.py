"""SenML CBOR, 112 (`RFC 8428 section 6`); ``vd`` is a byte string, Objlnk the text label ``vlo``."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m import senml, senml_labels
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """Read values, with ``names`` also the paths of a composite read as nodes without a value."""
    records = senml_labels.loads(payload)
    return senml.to_nodes(
        records, path, size=len(payload), opaque=senml_labels.opaque, model=model, names=names
    )


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    """Write values; a node without one is the bare path that a composite read sends."""
    return senml_labels.dumps(senml.to_records(nodes, path, opaque=bytes))

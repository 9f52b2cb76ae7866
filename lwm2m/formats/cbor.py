"""CBOR, 60: one value as one item (`OMA-TS-LightweightM2M_Core 7.4.6`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lwm2m import cbor, single, values
from lwm2m.nodes import Node, ObjectLinkValue
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """One node; an object link comes as text and needs the model to be one."""
    single.check(path)
    value = values.typed(values.plain(cbor.loads(payload)), path, model)
    return [Node(path, values.present(value, path))]


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    value = single.only(nodes, path).value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise values.not_encodable(f"{path} has no finite value to write.")
    return cbor.dumps(str(value) if isinstance(value, ObjectLinkValue) else value)

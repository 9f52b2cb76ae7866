"""Opaque, 42: the bytes of one resource as they are (`OMA-TS-LightweightM2M_Core 7.4.2`)."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m import single
from lwm2m.errors import bad_request
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False) -> list[Node]:
    """One node with the bytes; none at all are an empty text where the model says text."""
    single.check(path)
    return [Node(path, payload or single.empty(path, model))]


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    value = single.only(nodes, path).value
    if not isinstance(value, bytes):
        raise bad_request("VALIDATION_FAILED", f"{path} is not bytes; write it as text or SenML.")
    return value

"""Content format link: not written yet."""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path


def decode(payload: bytes, path: Path, model: Catalogue | None = None) -> list[Node]:
    raise Lwm2mError(Code.NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "This format is not written yet.")


def encode(nodes: Sequence[Node], path: Path) -> bytes:
    raise Lwm2mError(Code.NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "This format is not written yet.")

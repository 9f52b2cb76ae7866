"""Content formats: one module each, found by number; a format is two functions, `decode` and `encode`.

A new format is one file here and one line in `_CODECS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.formats import (
    cbor,
    json,
    link,
    lwm2m_cbor,
    opaque,
    senml_cbor,
    senml_etch_cbor,
    senml_etch_json,
    senml_json,
    text,
    tlv,
)
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.objects import Catalogue
from lwm2m.paths import Path
from lwm2m.values import present

__all__ = ["Codec", "Node", "ObjectLinkValue", "Value", "decode", "encode", "numbers"]

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""The largest payload decoded at once; only a value such as a firmware image comes near it."""


MAX_NUMBER = 65_535
"""Content formats are numbers of 16 bits (`RFC 7252 section 12.3`)."""


class Codec(Protocol):
    """What a module of this package offers."""

    def decode(
        self, payload: bytes, path: Path, model: Catalogue | None = None, *, names: bool = False
    ) -> list[Node]: ...

    def encode(self, nodes: Sequence[Node], path: Path) -> bytes: ...


_CODECS: dict[int, Codec] = {
    ContentFormat.TEXT: text,
    ContentFormat.LINK: link,
    ContentFormat.OPAQUE: opaque,
    ContentFormat.CBOR: cbor,
    ContentFormat.SENML_JSON: senml_json,
    ContentFormat.SENML_CBOR: senml_cbor,
    ContentFormat.SENML_ETCH_JSON: senml_etch_json,
    ContentFormat.SENML_ETCH_CBOR: senml_etch_cbor,
    ContentFormat.TLV_LEGACY: tlv,
    ContentFormat.JSON_LEGACY: json,
    ContentFormat.TLV: tlv,
    ContentFormat.JSON: json,
    ContentFormat.LWM2M_CBOR: lwm2m_cbor,
}


def numbers() -> frozenset[int]:
    """The content formats that can be read and written here."""
    return frozenset(int(number) for number in _CODECS)


def decode(
    content_format: int | None,
    payload: bytes,
    path: Path,
    model: Catalogue | None = None,
    *,
    names: bool = False,
) -> list[Node]:
    """Read a payload about ``path``; nodes carry absolute paths that lie within it.

    A missing Content-Format is plain text (`OMA-TS-LightweightM2M_Core 7.4`). ``model`` types what the
    format leaves open. What a client reports has values: a record without one is refused, and only an empty
    instance or multiple resource is a node without a value. With ``names`` the payload is that of a
    composite request, which also names paths, and deletes them in the ETCH formats. Raises `Lwm2mError`
    4.15 ``CONTENT_FORMAT_UNSUPPORTED`` or 4.00 ``PAYLOAD_MALFORMED``, also for a name outside ``path``.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise bad_request(
            "PAYLOAD_MALFORMED", f"The payload is over {MAX_PAYLOAD_BYTES} bytes; send less at once."
        )
    number = ContentFormat.TEXT if content_format is None else content_format
    nodes = _codec(number).decode(payload, path, model, names=names)
    if not names:
        _check_empty(nodes, model)
    return nodes


def _check_empty(nodes: Sequence[Node], model: Catalogue | None) -> None:
    """Only what may have several values can have none at all."""
    for node in nodes:
        if node.value is None and node.path.depth >= 3:
            known = model.resource(node.path) if model is not None else None
            if node.path.depth == 4 or (known is not None and not known.multiple):
                present(None, node.path)


def encode(content_format: int, nodes: Sequence[Node], path: Path) -> bytes:
    """Write nodes that lie within ``path``; raise 4.15, or 4.00 ``VALIDATION_FAILED`` if that cannot be."""
    return _codec(content_format).encode(nodes, path)


def _codec(number: int) -> Codec:
    codec = _CODECS.get(number)
    if codec is None:
        # The number may be one of thousands of digits, which Python refuses to write.
        shown = str(number) if 0 <= number <= MAX_NUMBER else "of more than 16 bits"
        raise Lwm2mError(
            Code.UNSUPPORTED_CONTENT_FORMAT,
            "CONTENT_FORMAT_UNSUPPORTED",
            f"Content format {shown} is not known here; use 112, 110 or 11542.",
        )
    return codec

"""Which content formats a device speaks, and values to and from payloads in them.

`OMA-TS-LightweightM2M_Core 7.4`: a 1.0 device knows TLV and JSON, SenML came with 1.1, LwM2M CBOR with 1.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from lwm2m import formats
from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

_SINGLE_VALUE = frozenset({ContentFormat.TEXT, ContentFormat.OPAQUE, ContentFormat.CBOR})

_1_0 = (
    ContentFormat.TEXT,
    ContentFormat.OPAQUE,
    ContentFormat.TLV,
    ContentFormat.JSON,
    ContentFormat.TLV_LEGACY,
    ContentFormat.JSON_LEGACY,
)
_1_1 = (*_1_0, ContentFormat.CBOR, ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR)
_1_2 = (*_1_1, ContentFormat.SENML_ETCH_JSON, ContentFormat.SENML_ETCH_CBOR, ContentFormat.LWM2M_CBOR)
_BY_VERSION: dict[str, tuple[ContentFormat, ...]] = {"1.0": _1_0, "1.1": _1_1, "1.2": _1_2}

_ANNOUNCED = {
    "1.1": (60, 110, 112, 11542, 11543),
    "1.2": (60, 110, 112, 11542, 11543, 11544),
}

COMPOSITE = frozenset(
    {
        ContentFormat.SENML_JSON,
        ContentFormat.SENML_CBOR,
        ContentFormat.SENML_ETCH_JSON,
        ContentFormat.SENML_ETCH_CBOR,
        ContentFormat.LWM2M_CBOR,
    }
)


def announced(version: str) -> tuple[int, ...]:
    """What ``ct`` of the root link says; a 1.0 device says nothing."""
    return _ANNOUNCED.get(version, ())


def decode(
    content_format: int | None,
    payload: bytes,
    path: Path,
    catalogue: Catalogue,
    version: str,
    *,
    names: bool = False,
) -> list[Node]:
    """Values of a write, with ``names`` what a composite request names.

    Raises `Lwm2mError` 4.15 for a format that this version does not have.
    """
    number = ContentFormat.TEXT if content_format is None else content_format
    # ETCH bodies of composite writes are read by 1.1 devices too.
    if number not in _BY_VERSION[version] and not (version == "1.1" and number in COMPOSITE):
        raise Lwm2mError(
            Code.UNSUPPORTED_CONTENT_FORMAT,
            "FORMAT_UNSUPPORTED",
            f"{number} is not a format of {version}.",
        )
    return formats.decode(number, payload, path, catalogue, names=names)


def encode(nodes: Sequence[Node], path: Path, accept: int | None, version: str) -> tuple[int, bytes]:
    """Content-Format and payload of a read; raises 4.06 when ``accept`` cannot be met.

    Without Accept a 1.0 device answers TLV and a later one SenML CBOR, single resources included.
    """
    number = accept if accept is not None else default_format(version)
    if number not in _BY_VERSION[version] or (number in _SINGLE_VALUE and not _is_single(nodes, path)):
        raise Lwm2mError(Code.NOT_ACCEPTABLE, "FORMAT_UNSUPPORTED", f"{number} cannot carry {path}.")
    try:
        return int(number), formats.encode(number, nodes, path)
    except Lwm2mError as error:
        raise Lwm2mError(Code.NOT_ACCEPTABLE, error.cause, error.detail) from None


def names_instance(content_format: int | None, payload: bytes) -> bool:
    """Whether the payload of a Create says which instance: a TLV may hold resources and no instance."""
    is_tlv = content_format in (ContentFormat.TLV, ContentFormat.TLV_LEGACY)
    return not is_tlv or (payload != b"" and payload[0] >> 6 == 0)


def default_format(version: str) -> ContentFormat:
    return ContentFormat.TLV if version == "1.0" else ContentFormat.SENML_CBOR


def _is_single(nodes: Sequence[Node], path: Path) -> bool:
    return len(nodes) == 1 and path.depth >= 3 and nodes[0].path == path

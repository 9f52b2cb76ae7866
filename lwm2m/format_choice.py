"""Which content format to ask a client for, or to write to it, from what it announced and what is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from lwm2m.codes import ContentFormat
from lwm2m.nodes import Node
from lwm2m.object_links import ObjectLinks

Operation = Literal["read", "write", "composite"]

# Compact and typed first. JSON 11543 is the 1.0 format that few clients still write correctly.
_PREFERRED = (
    ContentFormat.SENML_CBOR,
    ContentFormat.LWM2M_CBOR,
    ContentFormat.TLV,
    ContentFormat.SENML_JSON,
    ContentFormat.JSON,
    ContentFormat.TLV_LEGACY,
    ContentFormat.JSON_LEGACY,
)
_COMPOSITE = (ContentFormat.SENML_CBOR, ContentFormat.LWM2M_CBOR, ContentFormat.SENML_JSON)


def choose_format(
    object_links: ObjectLinks | None,
    version: str,
    wish: int | None = None,
    operation: Operation = "read",
) -> int | None:
    """The Accept of a read or the Content-Format of a write; None means "send no Accept".

    ``wish`` (an operator's choice) always wins. A client that announced ``ct`` gets the best of it. One
    that did not is read without Accept: since LwM2M 1.1 it needs only one of the SenML formats, and
    lwm2m-node-lib (1.0) never answers Accept 11542. A write has to name a format: TLV for 1.0, SenML
    CBOR after that. Composite operations (1.1) have no TLV.
    """
    if wish is not None:
        return int(wish)
    offered = object_links.content_formats if object_links is not None else ()
    order = _COMPOSITE if operation == "composite" else _PREFERRED
    for candidate in order:
        if candidate in offered:
            return int(candidate)
    if operation == "read":
        return None
    if operation == "write" and version == "1.0":
        return int(ContentFormat.TLV)
    return int(ContentFormat.SENML_CBOR)


def format_for(nodes: Sequence[Node]) -> int | None:
    """The format that fits what is written better than any that was announced; None where there is none.

    The bytes of one resource go as they are (`OMA-TS-LightweightM2M_Core 7.4.2`): no client has to unpack a
    firmware image, and a small one can flash its blocks as they come. ``ct`` of the root link does not count,
    as it names what a client has beyond the formats of single values.
    """
    if len(nodes) == 1 and isinstance(nodes[0].value, bytes) and nodes[0].path.depth >= 3:
        return int(ContentFormat.OPAQUE)
    return None


def format_for_nothing(object_links: ObjectLinks | None) -> int:
    """The format of an instance without values: TLV, or LwM2M CBOR for a client that lists it and no TLV.

    SenML has no record without a value, so it cannot say this (`RFC 8428 section 4.2`).
    """
    offered = object_links.content_formats if object_links is not None else ()
    if ContentFormat.LWM2M_CBOR in offered and not {ContentFormat.TLV, ContentFormat.TLV_LEGACY} & set(
        offered
    ):
        return int(ContentFormat.LWM2M_CBOR)
    return int(ContentFormat.TLV)

"""Which content format to ask a client for, or to write to it, from what it announced."""

from __future__ import annotations

from typing import Literal

from lwm2m.codes import ContentFormat
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

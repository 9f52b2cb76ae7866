"""An operator's wish for a content format: known here, and fit for what the operation carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.errors import Refused
from lwm2m import formats
from lwm2m.codes import ContentFormat
from lwm2m.paths import Path

NAMES = {member.name.lower().replace("_", "-"): int(member) for member in ContentFormat}
"""senml-cbor -> 112; a wish may be a name or a number."""

_SINGLE = (ContentFormat.TEXT, ContentFormat.OPAQUE, ContentFormat.CBOR)
_ETCH = (ContentFormat.SENML_ETCH_JSON, ContentFormat.SENML_ETCH_CBOR)
_COMPOSITE = (ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR, ContentFormat.LWM2M_CBOR)
_EMPTY = (ContentFormat.TLV, ContentFormat.TLV_LEGACY, ContentFormat.LWM2M_CBOR)
_ALLOWED = {"composite": _COMPOSITE, "patch": (*_COMPOSITE, *_ETCH), "etch": _ETCH, "empty": _EMPTY}


def wish(given: Mapping[str, Any], path: Path, use: str, *, values: int = 1) -> dict[str, int]:
    """`{"content_format": number}`, or nothing where there is no wish and the device's own list decides.

    `use` is read, write, composite, patch, etch (a composite write that deletes, which needs an ETCH format), or empty
    (an instance without values, which SenML has no form for).
    """
    wanted = given.get("content_format")
    if wanted is None:
        return {"content_format": int(ContentFormat.SENML_ETCH_CBOR)} if use == "etch" else {}
    number = NAMES.get(wanted, wanted) if isinstance(wanted, str) else wanted
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or number not in formats.numbers():
        raise Refused("FORMAT_UNKNOWN", field="content_format", format=wanted, known=list(NAMES))
    if use in _ALLOWED:
        if number not in _ALLOWED[use]:
            allowed = ", ".join(str(int(one)) for one in _ALLOWED[use])
            raise Refused("FORMAT_CANNOT_CARRY", field="content_format", format=str(number), allowed=allowed)
    elif number == ContentFormat.LINK or number in _ETCH:
        raise Refused(
            "FORMAT_NOT_FOR_READING" if use == "read" else "FORMAT_NOT_FOR_WRITING",
            field="content_format",
            format=str(number),
        )
    elif number in _SINGLE and (path.depth < 3 or values > 1):
        raise Refused("FORMAT_CARRIES_ONE_VALUE", field="content_format", format=str(number), path=path)
    return {"content_format": number}

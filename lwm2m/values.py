"""What may be a value, and its type by the model, for the formats that tell most types apart themselves."""

from __future__ import annotations

import math
from typing import Any

from lwm2m import date_times
from lwm2m.date_times import DateTimeText
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.nodes import ObjectLinkValue, Value, storable_text
from lwm2m.objects import Catalogue, ValueType
from lwm2m.paths import Path

_WHOLE = (ValueType.INTEGER, ValueType.UNSIGNED, ValueType.TIME)
_NUMBERS = (*_WHOLE, ValueType.FLOAT)


def is_number(value: Any) -> bool:
    """True for a finite number that 64 bits can hold; booleans are none."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return isinstance(value, float) and math.isfinite(value)


def plain(value: Any) -> Value:
    """A decoded item as a value; 4.00 ``PAYLOAD_MALFORMED`` for arrays, maps and over 64 bits."""
    match value:
        case None | bool() | bytes():
            return value
        case DateTimeText():
            return value
        case str():
            return storable_text(value)
        case int() | float() if is_number(value):
            return value
    raise bad_request(
        "PAYLOAD_MALFORMED", "A value is neither a number of 64 bits, a text, bytes nor a boolean."
    )


def present(value: Value, path: Path) -> Value:
    """The value; 4.00 ``PAYLOAD_MALFORMED`` for None: what a device reports has a value (`RFC 8428 section 4.2`).

    Null would take away a value that is known. Only a composite request names paths without one.
    """
    if value is None:
        raise bad_request("PAYLOAD_MALFORMED", f"{path} is named without a value; send one, or leave it out.")
    return value


def typed(value: Value, path: Path, model: Catalogue | None) -> Value:
    """Make whole numbers whole, others float and texts object links or times where the model says so.

    A time may be a date/time text (`OMA-TS-LightweightM2M_Core` 1.1.1 table C.2), marked as one or not.
    """
    known = model.resource(path) if model is not None else None
    if isinstance(value, DateTimeText):
        if known is None or known.type not in _NUMBERS:
            return str(value)
        value = date_times.seconds(value)
        if known.type in _WHOLE and isinstance(value, float):
            value = math.floor(value)  # a Time counts whole seconds
    if known is None or isinstance(value, bool):
        return value
    if known.type is ValueType.FLOAT and isinstance(value, int):
        return float(value)
    if known.type in _WHOLE and isinstance(value, float) and value.is_integer():
        return int(value)
    if known.type is ValueType.TIME and isinstance(value, str):
        found = date_times.seconds(value)
        return value if found is None else math.floor(found)
    if known.type is ValueType.OBJECT_LINK and isinstance(value, str):
        return ObjectLinkValue.parse(value)
    return value


def not_encodable(detail: str) -> Lwm2mError:
    """4.00 ``VALIDATION_FAILED``: the format at hand has no form for what shall be written."""
    return bad_request("VALIDATION_FAILED", detail)

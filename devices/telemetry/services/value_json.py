"""Values as JSON and back: opaque ones are {"base64": "..."}, object links {"object_link": "3:0"}."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from lwm2m.errors import Lwm2mError
from lwm2m.nodes import ObjectLinkValue, Value


def to_json(value: Value) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, ObjectLinkValue):
        return {"object_link": str(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    return value


def from_json(value: Any) -> Value:
    """None where it is no value at all."""
    if not isinstance(value, Mapping):
        plain: Value = value
        return plain
    try:
        if "object_link" in value:
            return ObjectLinkValue.parse(str(value["object_link"]))
        return base64.b64decode(str(value.get("base64", "")), validate=True)
    except (Lwm2mError, binascii.Error, ValueError):
        return None

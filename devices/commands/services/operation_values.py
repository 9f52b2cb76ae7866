"""Values that shall be written: JSON checked against the object model where it is known, raw where it is not.

In JSON an opaque value is {"base64": "..."} and an object link {"object_link": "3:0"} (or the text "3:0" where the
model says that it is one); a time may be seconds since 1970 or ISO 8601.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from accounts.errors import Refused
from lwm2m import ranges
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import ObjectLinkValue
from lwm2m.objects import ResourceModel, ValueType
from lwm2m.paths import Path

TEXT_LIMIT = 1024 * 1024


def checked(value: Any, path: Path, model: ResourceModel | None) -> Any:
    """The value in the form that the mailbox keeps; raises Refused with what would be right."""
    if model is None or model.type is ValueType.UNKNOWN:
        return _raw(value, path)
    reader = _READERS.get(model.type)
    if reader is None:
        raise Refused("VALUE_ONLY_EXECUTED", field="value", path=path, resource=model.name)
    found = reader(value, path, model)
    _check_range(found, path, model)
    return found


def _raw(value: Any, path: Path) -> Any:
    if isinstance(value, Mapping):
        return _object_link(value, path, None) if "object_link" in value else _opaque(value, path, None)
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("VALUE_NOT_FINITE", field="value", path=path)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        raise Refused("VALUE_OVER_64_BITS", field="value", path=path)
    if isinstance(value, str):
        return _text(value, path, None)
    if value is None or isinstance(value, list):
        raise Refused("VALUE_OF_NO_KIND", field="value", path=path)
    return value


def _text(value: Any, path: Path, model: ResourceModel | None) -> str:
    if not isinstance(value, str):
        raise Refused("VALUE_NO_TEXT", field="value", path=path)
    if len(value) > TEXT_LIMIT or "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Refused("VALUE_TEXT_UNFIT", field="value", path=path)
    return value


def _whole(value: Any, path: Path, model: ResourceModel) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("VALUE_NO_WHOLE_NUMBER", field="value", path=path, resource=model.name)
    low, high = (0, 2**64) if model.type is ValueType.UNSIGNED else (-(2**63), 2**63)
    if not low <= value < high:
        raise Refused("VALUE_OUTSIDE", field="value", path=path, resource=model.name, low=low, high=high - 1)
    return value


def _number(value: Any, path: Path, model: ResourceModel) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused("VALUE_NO_NUMBER", field="value", path=path, resource=model.name)
    return value


def _boolean(value: Any, path: Path, model: ResourceModel) -> bool:
    if not isinstance(value, bool):
        raise Refused("VALUE_NO_BOOLEAN", field="value", path=path, resource=model.name)
    return value


def _time(value: Any, path: Path, model: ResourceModel) -> int:
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise Refused("VALUE_NO_TIME", field="value", path=path, resource=model.name) from None
        if at.tzinfo is None:
            raise Refused("VALUE_TIME_WITHOUT_OFFSET", field="value", path=path, resource=model.name)
        return int(at.timestamp())
    return _whole(value, path, model)


def _opaque(value: Any, path: Path, model: ResourceModel | None) -> dict[str, str]:
    text = value.get("base64") if isinstance(value, Mapping) else None
    if not isinstance(text, str) or len(text) > 2 * TEXT_LIMIT:
        raise Refused("VALUE_NO_BYTES", field="value", path=path)
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("VALUE_NO_BASE64", field="value", path=path) from None
    return {"base64": text}


def _object_link(value: Any, path: Path, model: ResourceModel | None) -> dict[str, str]:
    text = value.get("object_link") if isinstance(value, Mapping) else value
    try:
        return {"object_link": str(ObjectLinkValue.parse(text if isinstance(text, str) else ""))}
    except Lwm2mError as error:
        raise Refused("VALUE_NO_OBJECT_LINK", field="value", path=path, said=error.detail) from None


_READERS: dict[ValueType, Callable[[Any, Path, ResourceModel], Any]] = {
    ValueType.STRING: _text,
    ValueType.CORE_LINK: _text,
    ValueType.INTEGER: _whole,
    ValueType.UNSIGNED: _whole,
    ValueType.FLOAT: _number,
    ValueType.BOOLEAN: _boolean,
    ValueType.TIME: _time,
    ValueType.OPAQUE: _opaque,
    ValueType.OBJECT_LINK: _object_link,
}


def _check_range(value: Any, path: Path, model: ResourceModel) -> None:
    """Numbers within bounds or among choices; text and bytes by their length in bytes, as `lwm2m.ranges` reads it."""
    limits = ranges.of(model)
    if limits is None or isinstance(value, bool):
        return
    if isinstance(value, int | float):
        if not limits.admit(value):
            raise Refused(
                "VALUE_NOT_AMONG" if limits.allowed else "VALUE_OUT_OF_RANGE",
                field="value",
                path=path,
                resource=model.name,
                range=model.range,
            )
        return
    length = len(value.encode()) if isinstance(value, str) else len(base64.b64decode(value["base64"]))
    if not limits.admit(length) and value not in model.range.split(","):
        raise Refused(
            "VALUE_LENGTH", field="value", path=path, resource=model.name, length=length, range=model.range
        )

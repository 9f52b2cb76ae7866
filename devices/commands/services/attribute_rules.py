"""Notification attributes (`OMA-TS-LightweightM2M_Core 5.1.2`): which exist, where they apply, what fits together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from accounts.errors import Refused
from lwm2m.objects import ResourceModel, ValueType
from lwm2m.paths import Path

NUMERIC = (ValueType.INTEGER, ValueType.UNSIGNED, ValueType.FLOAT, ValueType.TIME)


def _seconds(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise Refused("ATTRIBUTE_SECONDS", field="attributes", name=name)
    return value


def _flag(name: str, value: Any) -> int:
    if value not in (0, 1):
        raise Refused("ATTRIBUTE_FLAG", field="attributes", name=name)
    return int(value)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        raise Refused("ATTRIBUTE_COUNT", field="attributes", name=name)
    return value


def _threshold(name: str, value: Any) -> float | str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused("ATTRIBUTE_NUMBER", field="attributes", name=name)
    text = format(Decimal(repr(value)), "f")  # the grammar knows no exponent
    return value if str(value) == text else text


def _step(name: str, value: Any) -> float | str:
    if _threshold(name, value) is not None and value <= 0:
        raise Refused("ATTRIBUTE_STEP", field="attributes")
    return _threshold(name, value)


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "pmin": _seconds,
    "pmax": _seconds,
    "epmin": _seconds,
    "epmax": _seconds,
    "gt": _threshold,
    "lt": _threshold,
    "st": _step,
    "edge": _flag,
    "con": _flag,
    "hqmax": _count,
}
NAMES = tuple(_READERS)
_OF_NUMBERS = ("gt", "lt", "st")
_SINCE_1_2 = ("edge", "con", "hqmax")
_SINCE_1_1 = ("epmin", "epmax")


def checked(
    attributes: Any, *, path: Path, model: ResourceModel | None, version: str, may_unset: bool
) -> dict[str, Any]:
    """The attributes as they go into the query, null for one that is unset (R-19); raises Refused."""
    if not isinstance(attributes, Mapping):
        raise Refused("ATTRIBUTES_NO_OBJECT", field="attributes")
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        reader = _READERS.get(name)
        if reader is None:
            raise Refused("ATTRIBUTE_UNKNOWN", field="attributes", name=name, known=NAMES)
        _check_place(name, path, model, version)
        if value is None and not may_unset:
            raise Refused("ATTRIBUTE_NEEDS_VALUE", field="attributes", name=name)
        found[name] = None if value is None else reader(name, value)
    _check_together(found)
    return found


def _check_place(name: str, path: Path, model: ResourceModel | None, version: str) -> None:
    if (version == "1.0" and name in _SINCE_1_1) or (version in ("1.0", "1.1") and name in _SINCE_1_2):
        raise Refused("ATTRIBUTE_NOT_IN_VERSION", field="attributes", name=name, version=version)
    if name not in (*_OF_NUMBERS, "edge"):
        return
    if path.depth < 3:
        raise Refused("ATTRIBUTE_BELONGS_TO_RESOURCE", field="attributes", name=name, path=path)
    if model is None or model.type is ValueType.UNKNOWN:
        return
    if name == "edge" and model.type is not ValueType.BOOLEAN:
        raise Refused(
            "ATTRIBUTE_EDGE_FOR_BOOLEANS", field="attributes", resource=model.name, type=model.type.value
        )
    if name != "edge" and model.type not in NUMERIC:
        raise Refused(
            "ATTRIBUTE_FOR_NUMBERS", field="attributes", name=name, resource=model.name, type=model.type.value
        )


def _check_together(given: Mapping[str, Any]) -> None:
    number = {name: float(value) for name, value in given.items() if value is not None}
    for low, high in (("pmin", "pmax"), ("epmin", "epmax")):
        if low in number and high in number and number[low] > number[high]:
            raise Refused("ATTRIBUTES_CROSSED", field="attributes", low=low, high=high)
    if "lt" in number and "gt" in number:
        if number["lt"] >= number["gt"]:
            raise Refused("ATTRIBUTES_LT_GT", field="attributes")
        if "st" in number and number["lt"] + 2 * number["st"] >= number["gt"]:
            raise Refused("ATTRIBUTES_LT_ST_GT", field="attributes")

"""How one value reads on a screen, with its unit; from a stored value or from the answer of a command."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit.masking import MASK
from devices.telemetry.models import ResourceHistory, ResourceValue, ValueKind
from devices.telemetry.selectors import values
from lwm2m.objects import ResourceModel, ValueType

SHORT = 80
_HEX_BYTES = 24


@dataclass(frozen=True, slots=True)
class Shown:
    """`full` is set where `text` was cut; `is_value` is false for words such as "no value"."""

    text: str
    unit: str = ""
    at: datetime | None = None
    full: str = ""
    is_value: bool = True


def of_row(row: ResourceValue | ResourceHistory, model: ResourceModel | None) -> Shown:
    """A stored value."""
    if row.kind == ValueKind.HIDDEN:
        return Shown(gettext("hidden: a secret"), at=row.at, is_value=False)
    return of(values.value(row.kind, row.number, row.text), model, at=row.at)


def of(value: Any, model: ResourceModel | None, *, at: datetime | None = None) -> Shown:
    """A value as JSON has it: opaque is {"base64": ...}, an object link {"object_link": ...}."""
    if value is None:
        return Shown(gettext("no value"), at=at, is_value=False)
    if value == MASK:
        return Shown(gettext("hidden: a secret"), at=at, is_value=False)
    unit = unit_of(model)
    text = _text(value, model)
    if len(text) > SHORT:
        return Shown(f"{text[:SHORT]}…", unit, at, full=text)
    return Shown(text, unit, at)


def unit_of(model: ResourceModel | None) -> str:
    """As people write it: the registry's "/100" is per cent."""
    unit = model.units if model else ""
    return "%" if unit == "/100" else unit


def _text(value: Any, model: ResourceModel | None) -> str:
    if isinstance(value, Mapping):
        if "hex" in value:  # of a traced message, which keeps no more than the beginning
            return _counted(str(value["hex"]), int(value.get("bytes", 0)))
        return str(value["object_link"]) if "object_link" in value else _bytes(str(value.get("base64", "")))
    if isinstance(value, bool):
        return gettext("true") if value else gettext("false")
    if model is not None and model.type is ValueType.TIME and isinstance(value, int | float):
        return _time(value)
    if isinstance(value, float):
        return format(value, ".10g")
    return str(value) if value != "" else gettext("empty text")


def _time(seconds: float) -> str:
    try:
        at = timezone.localtime(datetime.fromtimestamp(seconds, tz=UTC))
    except (OverflowError, OSError, ValueError):
        return gettext("%(seconds)s s since 1970") % {"seconds": seconds}
    return formats.date_format(at, "j M Y, H:i:s T")


def _bytes(text: str) -> str:
    try:
        raw = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return gettext("unreadable")
    return _counted(raw[:_HEX_BYTES].hex(), len(raw))


def _counted(digits: str, count: int) -> str:
    pairs = " ".join(digits[i : i + 2] for i in range(0, len(digits), 2))
    cut = " …" if len(digits) // 2 < count else ""
    counted = ngettext("(%(count)s byte)", "(%(count)s bytes)", count) % {"count": count}
    return f"{pairs}{cut} {counted}".strip()


_TYPES = {
    ValueType.STRING: _("text"),
    ValueType.INTEGER: _("whole number"),
    ValueType.UNSIGNED: _("whole number from 0"),
    ValueType.FLOAT: _("number"),
    ValueType.BOOLEAN: _("true or false"),
    ValueType.OPAQUE: _("bytes"),
    ValueType.TIME: _("time"),
    ValueType.OBJECT_LINK: _("link to an object instance"),
    ValueType.CORE_LINK: _("list of links"),
    ValueType.NONE: _("can be executed"),
    ValueType.UNKNOWN: _("of no type that its definition says"),
}


def type_words(model: ResourceModel | None) -> str:
    """Type, range and multiplicity in a few words."""
    if model is None:
        return gettext("not in any object definition here")
    words = [str(_TYPES[model.type])]
    if model.range:
        low, _dots, high = model.range.partition("..")
        words.append(gettext("%(low)s to %(high)s") % {"low": low, "high": high} if high else model.range)
    if model.multiple:
        words.append(gettext("several instances"))
    return ", ".join(words)

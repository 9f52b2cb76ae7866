"""What a resource may hold, read from the range text of an object definition.

Definitions write ranges in many ways: ``0..255``, ``0-65535``, ``0..255 bytes``, ``16,32,48``. `tidy` brings
those to one form, and `Limits` checks values. Prose ("see the specification") limits nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lwm2m.object_models import ResourceModel, ValueType

_LENGTHS = frozenset({ValueType.STRING, ValueType.OPAQUE})
_NUMBERS = frozenset({ValueType.INTEGER, ValueType.UNSIGNED, ValueType.FLOAT, ValueType.TIME})

_NUMBER = r"[+-]?\d{1,20}(?:\.\d{1,20})?"
_UNIT = r"(?:\s*\(?(?:bytes?|octets?|B|characters?|chars?|symbols?|letters?)\)?)?"
_BETWEEN = r"\s*(?:\.{2,3}|…|-|–|~|\bto\b)\s*"
_SPAN = re.compile(rf"\[?\s*({_NUMBER}){_UNIT}{_BETWEEN}({_NUMBER}){_UNIT}\s*\]?\Z", re.ASCII | re.IGNORECASE)
_LIST = re.compile(rf"({_NUMBER}(?:\s*[,;|]\s*{_NUMBER})*){_UNIT}\Z", re.ASCII | re.IGNORECASE)
_DASHED = re.compile(rf"\d{{1,20}}(?:-\d{{1,20}}){{2,}}{_UNIT}\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """A span with both ends included, or the only values there are; of text and bytes it is the length."""

    low: float | None = None
    high: float | None = None
    allowed: tuple[float, ...] = ()

    def admit(self, number: float) -> bool:
        if self.allowed:
            return number in self.allowed
        return (self.low is None or self.low <= number) and (self.high is None or number <= self.high)


def tidy(text: str) -> str:
    """The range in one form: ``low..high`` or ``one,two,three``, and text that is neither as it stands."""
    text = " ".join(text.split())
    if found := _SPAN.match(text):
        return f"{_plain(found[1])}..{_plain(found[2])}"
    if _DASHED.match(text):  # 16-32-48 bytes, which is no span
        return ",".join(_plain(one) for one in re.findall(r"\d+", text))
    if found := _LIST.match(text):
        return ",".join(_plain(one) for one in re.findall(_NUMBER, found[1]))
    return text


def turned(text: str) -> str:
    """A span with its ends changed over, for those that begin with the greater one."""
    found = _SPAN.match(text)
    return f"{found[2]}..{found[1]}" if found else text


def limits(text: str) -> Limits | None:
    """What a range says, None when it says nothing that can be checked."""
    text = tidy(text)
    if found := _SPAN.match(text):
        return Limits(_value(found[1]), _value(found[2]))
    if _LIST.match(text):
        return Limits(allowed=tuple(_value(one) for one in text.split(",")))
    return None


def of(resource: ResourceModel) -> Limits | None:
    """What the values of a resource are held to, None when nothing can be checked.

    A single number is read as the greatest length of text and bytes. Of numbers it says nothing: the
    registry has both ``255`` for "up to" and ``8`` for bits.
    """
    found = limits(resource.range)
    if found is None or resource.type not in _LENGTHS | _NUMBERS:
        return None
    if len(found.allowed) == 1:
        return Limits(0, found.allowed[0]) if resource.type in _LENGTHS else None
    return found


def _value(text: str) -> float:
    return float(text) if "." in text else int(text)


def _plain(text: str) -> str:
    """Without a plus or leading zeros."""
    value = _value(text)
    return str(value) if isinstance(value, int) else text.lstrip("+")

"""One ``<Item>`` of a DDF file as a resource, leniently: the registry itself has published all that is let pass here.

What cannot be meant is loosened and noted, so that one odd resource never keeps an object from being used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lwm2m import ranges
from lwm2m.ddf_tree import Element
from lwm2m.object_models import ResourceModel, ValueType

MAX_ID = 65535
MAX_NAME = 200
MAX_UNITS = 40
MAX_RANGE = 200

_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_TYPES = {
    "string": ValueType.STRING,
    "integer": ValueType.INTEGER,
    "unsignedinteger": ValueType.UNSIGNED,
    "float": ValueType.FLOAT,
    "boolean": ValueType.BOOLEAN,
    "opaque": ValueType.OPAQUE,
    "time": ValueType.TIME,
    "objlnk": ValueType.OBJECT_LINK,
    "corelnk": ValueType.CORE_LINK,
}
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
MULTIPLE: Mapping[str, bool] = {"multiple": True, "single": False, **_YES}
MANDATORY: Mapping[str, bool] = {"mandatory": True, "optional": False, **_YES}


class Notes(list[str]):
    """What was let pass, as sentences with their line."""

    def add(self, line: int, sentence: str) -> None:
        self.append(f"Line {line}: {sentence}")


def read(item: Element, notes: Notes) -> ResourceModel | None:
    """The resource; None for one that has no number and can belong nowhere."""
    text = item.attributes.get("ID", "").strip()
    if not _NUMBER.match(text) or int(text) > MAX_ID:
        notes.add(item.line, f"{shown(text)} cannot be the ID of <Item>; the resource is left out.")
        return None
    number = int(text)
    operations = _operations(item, number, notes)
    kind = _type(item, number, operations, notes)
    multiple = choice(item, "MultipleInstances", MULTIPLE, notes, otherwise=False)
    if multiple and operations == "E":
        notes.add(item.line, f"resource {number} is executable; it counts as Single.")
    return ResourceModel(
        resource_id=number,
        name=_name(item, number, notes),
        type=kind,
        operations=operations,
        multiple=multiple and operations != "E",
        mandatory=choice(item, "Mandatory", MANDATORY, notes, otherwise=False),
        units=field(item, "Units", notes)[0][:MAX_UNITS],
        range=_range(item, number, kind, notes),
    )


def field(parent: Element, name: str, notes: Notes) -> tuple[str, int]:
    """The text of the first child of this name, "" when there is none, and its line."""
    found = parent.all(name)
    if len(found) > 1:
        notes.add(found[1].line, f"<{name}> stands twice in <{parent.name}>; the first counts.")
    return (" ".join(found[0].text.split()), found[0].line) if found else ("", parent.line)


def choice(parent: Element, name: str, words: Mapping[str, bool], notes: Notes, *, otherwise: bool) -> bool:
    """A yes or no in any of the words that files have for it."""
    text, line = field(parent, name, notes)
    found = words.get(text.lower())
    if found is None:
        yes, no = list(words)[:2]
        meant = yes if otherwise else no
        notes.add(line, f"<{name}> is {shown(text)}; it counts as {meant.capitalize()}.")
        return otherwise
    return found


def shown(text: str) -> str:
    """A part of the file inside a sentence."""
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'


def _name(item: Element, number: int, notes: Notes) -> str:
    text, line = field(item, "Name", notes)
    if not text:
        notes.add(line, f"resource {number} has no name; it is called by its number.")
    return text[:MAX_NAME] or f"Resource {number}"


def _operations(item: Element, number: int, notes: Notes) -> str:
    """Letters of RWE; an executable is that alone, and what cannot be read leaves all to the device."""
    text, line = field(item, "Operations", notes)
    letters = {letter for letter in text.upper() if letter.isalnum()}
    operations = "".join(letter for letter in "RWE" if letter in letters)
    if letters <= set(operations) and operations in ("", "R", "W", "RW", "E"):
        if text or item.all("Operations"):
            return operations
        notes.add(line, f"resource {number} has no <Operations>; it counts as RW.")
        return "RW"
    loosened = "".join(letter for letter in operations if letter != "E") or "RW"
    notes.add(line, f"resource {number} has the operations {shown(text)}; it counts as {loosened}.")
    return loosened


def _type(item: Element, number: int, operations: str, notes: Notes) -> ValueType:
    """The type of an executable counts for nothing (leshan#834); without a type values stay as they come."""
    if operations == "E":
        return ValueType.NONE
    text, line = field(item, "Type", notes)
    kind = _TYPES.get("".join(text.split()).lower())
    if kind is None:
        said = f"the type {shown(text)}, which LWM2M.xsd does not know" if text else "no type"
        notes.add(line, f"resource {number} has {said}; its values are kept as they come.")
        return ValueType.UNKNOWN
    return kind


def _range(item: Element, number: int, kind: ValueType, notes: Notes) -> str:
    written, line = field(item, "RangeEnumeration", notes)
    text = ranges.tidy(written[:MAX_RANGE])
    found = ranges.limits(text)
    if found is None:
        return text
    if found.low is not None and found.high is not None and found.low > found.high:
        text = ranges.tidy(ranges.turned(text))
        notes.add(line, f"resource {number} has the range {written[:60]}; it counts as {text}.")
    if kind is ValueType.UNSIGNED and min(found.low or 0, found.high or 0, *found.allowed, 0) < 0:
        notes.add(line, f"resource {number} is unsigned and its range {text} is not; the range is left out.")
        return ""
    return text

"""Object definitions as vendors and OMA publish them: DDF files in the shape of ``LWM2M.xsd`` 1.0 and 1.1.

Elements that are not known are passed over. What is missing, malformed or contradicts itself is refused with
the line and what to do; the file is then not used at all.
"""

from __future__ import annotations

import re

from lwm2m import ddf_tree, ranges
from lwm2m.ddf_tree import MAX_BYTES, Element, refuse
from lwm2m.object_models import ObjectModel, ResourceModel, ValueType

__all__ = ["MAX_BYTES", "parse"]

MAX_ID = 65535
MAX_NAME = 200
MAX_UNITS = 40
MAX_RANGE = 200

_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\Z", re.ASCII)
_URN = re.compile(
    r"urn:oma:lwm2m:[a-z]+:([0-9]{1,9})(?::([0-9]{1,5}\.[0-9]{1,5}))?\Z", re.ASCII | re.IGNORECASE
)
_OPERATIONS = ("", "R", "W", "RW", "E")
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
    "": ValueType.NONE,
    "none": ValueType.NONE,
}


def parse(content: bytes) -> tuple[ObjectModel, ...]:
    """The objects of a DDF file, in its order; raise 4.00 ``VALIDATION_FAILED`` that says what to do."""
    root = ddf_tree.parse(content)
    if root.name != "LWM2M":
        refuse(root.line, f"the outermost element is <{root.name[:60]}>, not <LWM2M>; choose a DDF file.")
    found = root.all("Object")
    if not found:
        refuse(root.line, "<LWM2M> has no <Object>; choose a file that defines an object.")
    models: dict[tuple[int, str], ObjectModel] = {}
    for element in found:
        model = _object(element)
        key = (model.object_id, model.version)
        if key in models:
            refuse(element.line, f"object {key[0]} {key[1]} is defined twice in this file; remove one.")
        models[key] = model
    return tuple(models.values())


def _object(element: Element) -> ObjectModel:
    name = _name(element)
    object_id = _identifier(_one(element, "ObjectID"), _needed(element, "ObjectID"), "ObjectID")
    version = _version(element, object_id)
    container = _one(element, "Resources")
    if container is None:
        refuse(element.line, f"object {object_id} has no <Resources>; list its resources.")
    resources: dict[int, ResourceModel] = {}
    lines: dict[int, int] = {}
    for item in container.all("Item"):
        model = _resource(item)
        if model.resource_id in resources:
            first = lines[model.resource_id]
            refuse(item.line, f"resource {model.resource_id} stands on line {first} already; remove one.")
        resources[model.resource_id], lines[model.resource_id] = model, item.line
    if not resources:
        refuse(container.line, f"object {object_id} has no <Item> in <Resources>; list its resources.")
    return ObjectModel(
        object_id=object_id,
        name=name,
        version=version,
        multiple=_choice(element, "MultipleInstances", "Single", "Multiple"),
        mandatory=_choice(element, "Mandatory", "Optional", "Mandatory"),
        resources=dict(sorted(resources.items())),
    )


def _version(element: Element, object_id: int) -> str:
    """ObjectVersion, else what the URN says, else 1.0; the URN must name the same object and version."""
    stated = _text(element, "ObjectVersion")
    if stated and not _VERSION.match(stated):
        refuse(_line(element, "ObjectVersion"), f"{_shown(stated)} is no <ObjectVersion>; write it as 1.0.")
    urn = _URN.match(_text(element, "ObjectURN"))
    if urn is None:
        return stated or "1.0"
    if int(urn[1]) != object_id:
        refuse(
            _line(element, "ObjectURN"),
            f"<ObjectURN> names object {int(urn[1])} and <ObjectID> {object_id}; make them agree.",
        )
    if urn[2] and stated and urn[2] != stated:
        refuse(
            _line(element, "ObjectURN"),
            f"<ObjectURN> names version {urn[2]} and <ObjectVersion> {stated}; make them agree.",
        )
    return stated or urn[2] or "1.0"


def _resource(item: Element) -> ResourceModel:
    if "ID" not in item.attributes:
        refuse(item.line, '<Item> has no ID; write <Item ID="5700">.')
    number = _identifier(item, item.attributes["ID"].strip(), "the ID of <Item>")
    operations = _needed(item, "Operations", may_be_empty=True).upper()
    if operations not in _OPERATIONS:
        refuse(
            _line(item, "Operations"),
            f"resource {number} has the operations {_shown(operations)}; write R, W, RW, E or nothing.",
        )
    kind = _type(item, number, operations)
    multiple = _choice(item, "MultipleInstances", "Single", "Multiple")
    if multiple and operations == "E":
        refuse(item.line, f"resource {number} is executable and cannot be Multiple; make it Single.")
    return ResourceModel(
        resource_id=number,
        name=_name(item),
        type=kind,
        operations=operations,
        multiple=multiple,
        mandatory=_choice(item, "Mandatory", "Optional", "Mandatory"),
        units=_short(item, "Units", MAX_UNITS),
        range=_range(item, number, kind),
    )


def _type(item: Element, number: int, operations: str) -> ValueType:
    text = _needed(item, "Type", may_be_empty=True)
    kind = _TYPES.get("".join(text.split()).lower())
    line = _line(item, "Type")
    if kind is None:
        refuse(line, f"resource {number} has the type {_shown(text)}; use one of LWM2M.xsd, such as Integer.")
    if operations == "E" and kind is not ValueType.NONE:
        refuse(
            line,
            f"resource {number} is executable and has a type; leave <Type> empty or change <Operations>.",
        )
    if operations != "E" and kind is ValueType.NONE:
        refuse(line, f"resource {number} has no type; fill <Type>, or write E as its <Operations>.")
    return kind


def _range(item: Element, number: int, kind: ValueType) -> str:
    text = ranges.tidy(_short(item, "RangeEnumeration", MAX_RANGE))
    found = ranges.limits(text)
    if found is not None and found.low is not None and found.high is not None and found.low > found.high:
        refuse(
            _line(item, "RangeEnumeration"), f"resource {number} has the range {text}; turn its ends around."
        )
    if found is not None and kind is ValueType.UNSIGNED and min(found.low or 0, *found.allowed, 0) < 0:
        refuse(
            _line(item, "RangeEnumeration"),
            f"resource {number} is unsigned and its range {text} is not; use Integer or correct the range.",
        )
    return text


def _one(parent: Element, name: str) -> Element | None:
    """The child of this name; refused when there are several, for they could contradict each other."""
    found = parent.all(name)
    if len(found) > 1:
        refuse(found[1].line, f"<{name}> stands twice in <{parent.name}>; remove one.")
    return found[0] if found else None


def _text(parent: Element, name: str) -> str:
    child = _one(parent, name)
    return "" if child is None else " ".join(child.text.split())


def _line(parent: Element, name: str) -> int:
    child = _one(parent, name)
    return parent.line if child is None else child.line


def _needed(parent: Element, name: str, *, may_be_empty: bool = False) -> str:
    child = _one(parent, name)
    if child is None:
        refuse(parent.line, f"<{parent.name}> has no <{name}>; add it.")
    text = " ".join(child.text.split())
    if not text and not may_be_empty:
        refuse(child.line, f"<{name}> is empty; fill it.")
    return text


def _name(parent: Element) -> str:
    return _needed(parent, "Name")[:MAX_NAME]


def _short(parent: Element, name: str, limit: int) -> str:
    return _text(parent, name)[:limit]


def _identifier(element: Element | None, text: str, what: str) -> int:
    if not _NUMBER.match(text) or int(text) > MAX_ID:
        refuse(
            element.line if element else 1, f"{_shown(text)} cannot be {what}; use a number of 0..{MAX_ID}."
        )
    return int(text)


def _choice(parent: Element, name: str, no: str, yes: str) -> bool:
    text = _needed(parent, name)
    if text.lower() not in (no.lower(), yes.lower()):
        refuse(_line(parent, name), f"<{name}> is {_shown(text)}; write {no} or {yes}.")
    return text.lower() == yes.lower()


def _shown(text: str) -> str:
    """A part of the file inside a sentence."""
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'

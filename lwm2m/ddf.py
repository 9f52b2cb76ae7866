"""Object definitions as vendors and OMA publish them: DDF files in the shape of ``LWM2M.xsd`` 1.0 and 1.1.

Elements that are not known are passed over. What is missing, malformed or contradicts itself about the object
is refused with the line and what to do; the file is then not used at all. What is odd about one resource is
loosened and noted (`lwm2m.ddf_resources`).
"""

from __future__ import annotations

import re

from lwm2m import ddf_resources, ddf_tree
from lwm2m.ddf_resources import MANDATORY, MAX_ID, MAX_NAME, MULTIPLE, Notes, choice, shown
from lwm2m.ddf_tree import MAX_BYTES, Element, refuse
from lwm2m.object_models import ObjectModel, ResourceModel

__all__ = ["MAX_BYTES", "Notes", "parse"]

_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\Z", re.ASCII)
_URN = re.compile(
    r"urn:oma:lwm2m:[a-z]+:([0-9]{1,9})(?::([0-9]{1,5}\.[0-9]{1,5}))?\Z", re.ASCII | re.IGNORECASE
)


def parse(content: bytes, notes: Notes | None = None) -> tuple[ObjectModel, ...]:
    """The objects of a DDF file, in its order; raise 4.00 ``VALIDATION_FAILED`` that says what to do.

    What was let pass is added to ``notes``, one sentence each.
    """
    notes = Notes() if notes is None else notes
    root = ddf_tree.parse(content)
    if root.name != "LWM2M":
        refuse(root.line, f"the outermost element is <{root.name[:60]}>, not <LWM2M>; choose a DDF file.")
    found = root.all("Object")
    if not found:
        refuse(root.line, "<LWM2M> has no <Object>; choose a file that defines an object.")
    models: dict[tuple[int, str], ObjectModel] = {}
    for element in found:
        model = _object(element, notes)
        key = (model.object_id, model.version)
        if key in models:
            refuse(element.line, f"object {key[0]} {key[1]} is defined twice in this file; remove one.")
        models[key] = model
    return tuple(models.values())


def _object(element: Element, notes: Notes) -> ObjectModel:
    name = _needed(element, "Name")[:MAX_NAME]
    object_id = _identifier(_one(element, "ObjectID"), _needed(element, "ObjectID"), "ObjectID")
    version = _version(element, object_id)
    container = _one(element, "Resources")
    if container is None:
        refuse(element.line, f"object {object_id} has no <Resources>; list its resources.")
    resources: dict[int, ResourceModel] = {}
    for item in container.all("Item"):
        model = ddf_resources.read(item, notes)
        if model is not None and model.resource_id in resources:
            notes.add(item.line, f"resource {model.resource_id} stands here again; the first counts.")
        elif model is not None:
            resources[model.resource_id] = model
    if not resources:
        refuse(container.line, f"object {object_id} has no <Item> in <Resources>; list its resources.")
    return ObjectModel(
        object_id=object_id,
        name=name,
        version=version,
        multiple=choice(element, "MultipleInstances", MULTIPLE, notes, otherwise=True),
        mandatory=choice(element, "Mandatory", MANDATORY, notes, otherwise=False),
        resources=dict(sorted(resources.items())),
    )


def _version(element: Element, object_id: int) -> str:
    """ObjectVersion, else what the URN says, else 1.0; the URN must name the same object and version."""
    stated = _text(element, "ObjectVersion")
    if stated and not _VERSION.match(stated):
        refuse(_line(element, "ObjectVersion"), f"{shown(stated)} is no <ObjectVersion>; write it as 1.0.")
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


def _needed(parent: Element, name: str) -> str:
    child = _one(parent, name)
    if child is None:
        refuse(parent.line, f"<{parent.name}> has no <{name}>; add it.")
    text = " ".join(child.text.split())
    if not text:
        refuse(child.line, f"<{name}> is empty; fill it.")
    return text


def _identifier(element: Element | None, text: str, what: str) -> int:
    if not _NUMBER.match(text) or int(text) > MAX_ID:
        refuse(
            element.line if element else 1, f"{shown(text)} cannot be {what}; use a number of 0..{MAX_ID}."
        )
    return int(text)

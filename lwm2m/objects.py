"""Object and resource models: what a number in a path means, its type and what may be done with it.

The core objects stand in ``lwm2m/data/objects.json``, in our own words. Objects that are not known here
stay readable as raw values (R-15).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

from lwm2m.errors import bad_request
from lwm2m.paths import Path


class ValueType(Enum):
    """The data types of `OMA-TS-LightweightM2M_Core Appendix C`; NONE is an executable resource."""

    STRING = "string"
    INTEGER = "integer"
    UNSIGNED = "unsigned"
    FLOAT = "float"
    BOOLEAN = "boolean"
    OPAQUE = "opaque"
    TIME = "time"
    OBJECT_LINK = "objlnk"
    CORE_LINK = "corelnk"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ResourceModel:
    """``operations`` is a subset of ``RWE``, empty for resources that only a bootstrap server may touch."""

    resource_id: int
    name: str
    type: ValueType
    operations: str
    multiple: bool = False
    mandatory: bool = False
    units: str = ""
    range: str = ""


@dataclass(frozen=True, slots=True)
class ObjectModel:
    """One object in one version; ``multiple`` tells whether it may have several instances."""

    object_id: int
    name: str
    version: str
    multiple: bool
    mandatory: bool
    resources: Mapping[int, ResourceModel] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Object models by id; hand one to `lwm2m.formats.decode` to type what the wire leaves open."""

    objects: Mapping[int, ObjectModel] = field(default_factory=dict)

    def resource(self, path: Path) -> ResourceModel | None:
        """The model of the resource that ``path`` is or lies in; None when it is not known."""
        if path.object_id is None or path.resource_id is None:
            return None
        model = self.objects.get(path.object_id)
        return None if model is None else model.resources.get(path.resource_id)

    def name(self, path: Path) -> str:
        """A path in words for a screen, such as ``Device / Battery Level``; "" when not known."""
        if path.object_id is None or (model := self.objects.get(path.object_id)) is None:
            return ""
        resource = self.resource(path)
        return model.name if resource is None else f"{model.name} / {resource.name}"

    def extended(self, models: Iterable[ObjectModel]) -> Catalogue:
        """This catalogue with more models, the new ones standing where an id is known already."""
        return Catalogue({**self.objects, **{model.object_id: model for model in models}})


@cache
def core() -> Catalogue:
    """The objects that this package knows itself."""
    text = resources.files("lwm2m").joinpath("data/objects.json").read_text(encoding="utf-8")
    return Catalogue({model.object_id: model for model in map(from_json, json.loads(text))})


def from_json(value: Mapping[str, Any]) -> ObjectModel:
    """Read one object of the data file; raise 4.00 ``VALIDATION_FAILED`` when it is not one.

    A resource is ``[id, name, type, operations]``, then optionally flags (``m`` multiple, ``!``
    mandatory), units and range.
    """
    try:
        return ObjectModel(
            object_id=int(value["id"]),
            name=str(value["name"]),
            version=str(value["version"]),
            multiple=bool(value["multiple"]),
            mandatory=bool(value["mandatory"]),
            resources={row[0]: _resource(*row) for row in value["resources"]},
        )
    except (KeyError, TypeError, ValueError):
        raise bad_request("VALIDATION_FAILED", "This is not an object model; see lwm2m/data.") from None


def _resource(
    resource_id: int,
    name: str,
    kind: str,
    operations: str,
    flags: str = "",
    units: str = "",
    limits: str = "",
) -> ResourceModel:
    return ResourceModel(
        resource_id, name, ValueType(kind), operations, "m" in flags, "!" in flags, units, limits
    )


# The object version that a client means when it names none, by the enabler it registers with (L-12).
_IMPLIED = {
    "1.0": {},
    "1.1": {0: "1.1", 1: "1.1", 3: "1.1", 4: "1.2"},
    "1.2": {0: "1.2", 1: "1.2", 2: "1.1", 3: "1.2", 4: "1.3", 5: "1.1", 21: "2.0"},
}


def implied_version(object_id: int, enabler: str) -> str:
    """The version of an object announced without ``ver``: core objects by the enabler, others 1.0."""
    return _IMPLIED.get(enabler, {}).get(object_id, "1.0")

"""What is known of an object and its resources: names, types, operations, units and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ValueType(Enum):
    """The data types of `OMA-TS-LightweightM2M_Core Appendix C`.

    NONE is an executable resource, UNKNOWN one whose definition has no type that can be read: its values are
    kept as they come.
    """

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
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ResourceModel:
    """``operations`` is a subset of ``RWE``, empty for resources that only a bootstrap server may touch.

    ``range`` is text as `lwm2m.ranges` reads it: of a number its value, of text and bytes their length.
    """

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

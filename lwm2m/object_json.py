"""Object models as JSON: one model at a time for a database, and the compact data files of this package.

`lwm2m/data/oma.json` has the objects of OMA with all their versions side by side, `lwm2m/data/ipso.json` the
IPSO objects, which share their resources. Ids, types, operations and versions follow the OMA LwM2M Registry
(github.com/OpenMobileAlliance/lwm2m-registry); names and units are our own words. There is no command that
refreshes them: a newer object is loaded from its DDF file (`lwm2m.ddf`), or gets its line here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

from lwm2m.errors import bad_request
from lwm2m.object_models import ObjectModel, ResourceModel, ValueType
from lwm2m.object_versions import order

_TYPES = {kind.value: kind for kind in ValueType}


def from_json(value: Mapping[str, Any]) -> ObjectModel:
    """Read one model; raise 4.00 ``VALIDATION_FAILED`` when it is not one.

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


def to_json(model: ObjectModel) -> dict[str, Any]:
    """The inverse of `from_json`."""
    return {
        "id": model.object_id,
        "name": model.name,
        "version": model.version,
        "multiple": model.multiple,
        "mandatory": model.mandatory,
        "resources": [
            [
                one.resource_id,
                one.name,
                one.type.value,
                one.operations,
                ("m" if one.multiple else "") + ("!" if one.mandatory else ""),
                one.units,
                one.range,
            ]
            for one in model.resources.values()
        ],
    }


def shipped() -> Iterator[ObjectModel]:
    """The models in the data files of this package."""
    for value in _read("oma.json"):
        yield from _versions(value)
    ipso = _read("ipso.json")
    shared = {row[0]: _resource(*row) for row in ipso["resources"]}
    for object_id, version, name, listed in ipso["objects"]:
        used = dict(_pick(entry, shared) for entry in listed.split())
        yield ObjectModel(object_id, name, version, multiple=True, mandatory=False, resources=used)


def _read(name: str) -> Any:
    return json.loads(resources.files("lwm2m").joinpath("data", name).read_text(encoding="utf-8"))


def _versions(value: Mapping[str, Any]) -> Iterator[ObjectModel]:
    """One object of ``oma.json``: a row may end with the versions it stands in, such as ``1.1..``."""
    rows = [(_resource(*row[:7]), _span(row[7]) if len(row) > 7 else None) for row in value["resources"]]
    for version in value["versions"]:
        here = order(version)
        held = {
            model.resource_id: model for model, span in rows if span is None or span[0] <= here <= span[1]
        }
        yield ObjectModel(value["id"], value["name"], version, value["multiple"], value["mandatory"], held)


def _span(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    first, _, last = text.partition("..")
    return order(first), order(last or "99999.0")


def _pick(entry: str, shared: Mapping[int, ResourceModel]) -> tuple[int, ResourceModel]:
    """``5700!`` is the shared resource 5700, mandatory in this object."""
    model = shared[int(entry.rstrip("!"))]
    return model.resource_id, replace(model, mandatory=True) if entry.endswith("!") else model


def _resource(
    resource_id: int,
    name: str,
    kind: str,
    operations: str,
    flags: str = "",
    units: str = "",
    limits: str = "",
) -> ResourceModel:
    if kind not in _TYPES:
        raise ValueError(f"unknown type {kind}")
    return ResourceModel(
        resource_id, name, _TYPES[kind], operations, "m" in flags, "!" in flags, units, limits
    )

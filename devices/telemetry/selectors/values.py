"""What a device has, by its object list and the models, with the latest value of each resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from devices.inventory.models import Device
from devices.registry.selectors import device_models, ways
from devices.telemetry.models import ResourceValue, ValueKind
from lwm2m.objects import Catalogue, ObjectModel, ResourceModel
from lwm2m.paths import Path


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value; `value` None with `kind` "" was never told, with kind "e" the device says that there is none."""

    path: str
    kind: str
    value: Any
    at: datetime | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class Resource:
    """`instances` of a multiple resource, else one `latest`. Without a model the name is empty: raw (R-15)."""

    path: str
    number: int
    name: str
    type: str
    operations: str
    is_multiple: bool
    units: str
    range: str
    is_absent: bool
    latest: Leaf | None
    instances: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    path: str
    number: int
    is_announced: bool
    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Object:
    path: str
    number: int
    name: str
    version: str
    instances: tuple[Instance, ...]


def of_device(device: Device) -> QuerySet[ResourceValue]:
    return ResourceValue.objects.filter(device=device)


def tree(device: Device) -> tuple[Object, ...]:
    """Every object the device announced or ever told a value of, in order; three queries."""
    detail = ways.fresh_detail(device)
    catalogue = device_models.catalogue(device, detail)
    links = device_models.object_links(detail)
    told: dict[int, dict[int, dict[int, list[ResourceValue]]]] = {}
    for row in of_device(device):
        ids = Path.parse(row.path).ids
        told.setdefault(ids[0], {}).setdefault(ids[1], {}).setdefault(ids[2], []).append(row)
    announced = {number: link.instances for number, link in links.objects.items()} if links else {}
    return tuple(
        _object(number, catalogue, set(announced.get(number, ())), told.get(number, {}))
        for number in sorted({*announced, *told})
    )


def _object(
    number: int,
    catalogue: Catalogue,
    announced: set[int],
    told: Mapping[int, Mapping[int, list[ResourceValue]]],
) -> Object:
    model = catalogue.objects.get(number)
    instances = tuple(
        Instance(
            f"/{number}/{one}",
            one,
            one in announced,
            _resources(Path(number, one), model, told.get(one, {})),
        )
        for one in sorted({*announced, *told})
    )
    return Object(
        f"/{number}", number, model.name if model else "", model.version if model else "", instances
    )


def _resources(
    home: Path, model: ObjectModel | None, told: Mapping[int, list[ResourceValue]]
) -> tuple[Resource, ...]:
    known = model.resources if model else {}
    return tuple(
        _resource(home.child(number), known.get(number), told.get(number, []))
        for number in sorted({*known, *told})
    )


def _resource(path: Path, model: ResourceModel | None, rows: Iterable[ResourceValue]) -> Resource:
    leaves = [leaf(row) for row in rows]
    parts = tuple(sorted((one for one in leaves if Path.parse(one.path).depth == 4), key=_number))
    own = next((one for one in leaves if one.path == str(path)), None)
    there = [one for one in leaves if one.kind != ValueKind.EMPTY]
    return Resource(
        path=str(path),
        number=path.ids[2],
        name=model.name if model else "",
        type=model.type.value if model else "",
        operations=model.operations if model else "",
        is_multiple=model.multiple if model else bool(parts),
        units=model.units if model else "",
        range=model.range if model else "",
        is_absent=not there,
        latest=own,
        instances=parts,
    )


def _number(one: Leaf) -> int:
    return Path.parse(one.path).ids[3]


def leaf(row: ResourceValue) -> Leaf:
    return Leaf(row.path, row.kind, value(row.kind, row.number, row.text), row.at, row.received_at)


def value(kind: str, number: float | None, text: str | None) -> Any:
    """A stored value as JSON; a secret is only ever "(hidden)"."""
    match kind:
        case ValueKind.INTEGER:
            return int(text) if text is not None else int(number or 0)
        case ValueKind.BOOLEAN:
            return bool(number)
        case ValueKind.FLOAT:
            return number
        case ValueKind.OPAQUE:
            return {"base64": text}
        case ValueKind.OBJECT_LINK:
            return {"object_link": text}
        case ValueKind.HIDDEN:
            return "(hidden)"
    return text

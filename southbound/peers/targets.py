"""What a device said it is, as far as requests to it and its reports depend on it: read with its operator's models."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from devices.inventory import object_models
from devices.inventory.models import Device
from devices.registry import stored_links
from devices.registry.selectors import device_models
from lwm2m import objects
from lwm2m.links import ObjectLinks
from lwm2m.objects import Catalogue

KEPT_LIMIT = 1_000
SHARED_BYTES = 4_096
"""A longer object list is read each time: a thousand of them would be too much to keep."""
_kept: dict[tuple[int, tuple[tuple[int, str | None], ...], str], tuple[Catalogue, Catalogue]] = {}
_targets: dict[tuple[int, str, str], _Kept] = {}


@dataclass(frozen=True, slots=True)
class Target:
    """What a device said about itself that a request to it depends on; `catalogue` are the models it means.

    `prefix` is what its gateway calls it, "" for a device that speaks for itself.
    """

    version: str
    object_links: ObjectLinks | None
    catalogue: Catalogue = field(default_factory=objects.core)
    prefix: str = ""

    @property
    def root_path(self) -> str:
        return "" if self.object_links is None else self.object_links.root_path.strip("/")

    @property
    def root(self) -> tuple[str, ...]:
        """The alternate path, which management requests are prefixed with."""
        return tuple(self.root_path.split("/")) if self.root_path else ()

    @property
    def announced(self) -> tuple[int, ...]:
        return () if self.object_links is None else self.object_links.content_formats


@dataclass(frozen=True, slots=True)
class _Kept:
    """A target, and the catalogue that it was made with."""

    catalogue_of: Catalogue
    target: Target


def of(detail: tuple[str, str] | None, operator_id: int, end_device: Device | None = None) -> Target:
    """What a device said it is, its version and object list, read with the object models of its operator.

    An end device has its own objects, beneath the alternate path and in the formats of its gateway. It comes from
    `end_devices`.
    """
    known = object_models.catalogue(operator_id)
    prefix = "" if end_device is None else end_device.prefix
    if detail is None or (links := _links(detail[1])) is None:
        return Target("1.0" if detail is None else detail[0], None, known, prefix)
    if end_device is not None:
        own = device_models.object_links(getattr(end_device, "registration_detail", None)) or ObjectLinks()
        links = replace(links, objects=own.objects)
        return Target(detail[0], links, _meant(known, links, detail[0]), prefix)
    return _kept_target(known, detail[0], detail[1], links)


def _links(text: str) -> ObjectLinks | None:
    return _links_shared(text) if len(text) <= SHARED_BYTES else _read_links(text)


def _read_links(text: str) -> ObjectLinks | None:
    """None where a device never said what it has."""
    return stored_links.read(json.loads(text))


_links_shared = lru_cache(maxsize=KEPT_LIMIT)(_read_links)


def _kept_target(known: Catalogue, version: str, text: str, links: ObjectLinks) -> Target:
    """Devices of one kind say the same, and a storm asks for each of their messages."""
    key = (id(known), version, text)
    kept = _targets.get(key)
    if kept is not None and kept.catalogue_of is known:
        return kept.target
    found = Target(version, links, _meant(known, links, version))
    if len(text) <= SHARED_BYTES:
        if len(_targets) >= KEPT_LIMIT:
            _targets.clear()
        _targets[key] = _Kept(known, found)
    return found


def _meant(known: Catalogue, links: ObjectLinks, version: str) -> Catalogue:
    """`for_device`, kept for all that announce the same objects."""
    announced = tuple((object_id, link.version) for object_id, link in links.objects.items())
    key = (id(known), announced, version)
    kept = _kept.get(key)
    if kept is None or kept[0] is not known:
        if len(_kept) >= KEPT_LIMIT:
            _kept.clear()
        kept = _kept[key] = (known, known.for_device(dict(announced), version))
    return kept[1]


def end_devices(device_ids: Iterable[int]) -> dict[int, Device]:
    """Those of these that are behind gateways, with what `of` needs."""
    rows = Device.objects.filter(pk__in=set(device_ids), via__isnull=False)
    return {device.pk: device for device in rows.select_related("registration_detail")}

"""The catalogue of object models: what a number in a path means, its type and what may be done with it.

A catalogue knows several versions of an object side by side. Objects that it does not know stay readable as
raw values (R-15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from lwm2m.object_json import from_json, shipped, to_json
from lwm2m.object_models import ObjectModel, ResourceModel, ValueType
from lwm2m.object_versions import implied_version, nearest, oldest, order
from lwm2m.paths import Path

__all__ = [
    "Catalogue",
    "ObjectModel",
    "ResourceModel",
    "ValueType",
    "core",
    "from_json",
    "implied_version",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Object models by id; hand one to `lwm2m.formats.decode` to type what the wire leaves open.

    ``objects`` is what a path is read by: one model an id. ``versions`` are all versions that are known;
    `for_device` makes the catalogue that reads paths by the versions one device means.
    """

    objects: Mapping[int, ObjectModel] = field(default_factory=dict)
    versions: Mapping[int, Mapping[str, ObjectModel]] = field(default_factory=dict)

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

    def model(
        self, object_id: int, version: str | None = None, lwm2m_version: str = "1.1"
    ) -> ObjectModel | None:
        """The model of an object in the version that a device announces, None when it cannot be known.

        Without a version the enabler release decides (L-12). A version that is not known is read by the
        closest one of the same major number; a named version of an unknown major number stays raw.
        """
        known = self._known(object_id)
        found = nearest(known, version or implied_version(object_id, lwm2m_version))
        if found is None and not version:
            found = oldest(known)
        return None if found is None else known[found]

    def _known(self, object_id: int) -> Mapping[str, ObjectModel]:
        single = self.objects.get(object_id)
        return self.versions.get(object_id) or ({} if single is None else {single.version: single})

    def for_device(self, announced: Mapping[int, str | None], lwm2m_version: str = "1.1") -> Catalogue:
        """This catalogue as one device means it: ``announced`` are the versions of its object list."""
        chosen = dict(self.objects)
        for object_id, version in announced.items():
            model = self.model(object_id, version, lwm2m_version)
            if model is not None:
                chosen[object_id] = model
            else:
                chosen.pop(object_id, None)
        return Catalogue(chosen, self.versions)

    def extended(self, models: Iterable[ObjectModel]) -> Catalogue:
        """This catalogue with more models, the new ones standing where an id or version is known already.

        Of several new versions of one object the newest stands in ``objects``.
        """
        added: dict[int, dict[str, ObjectModel]] = {}
        for model in models:
            added.setdefault(model.object_id, {})[model.version] = model
        newest = {number: of[max(of, key=order)] for number, of in added.items()}
        merged = {number: {**self._known(number), **of} for number, of in added.items()}
        return Catalogue({**self.objects, **newest}, {**self.versions, **merged})


@cache
def core() -> Catalogue:
    """The objects that this package knows itself, read by the newest version of each."""
    return Catalogue().extended(shipped())

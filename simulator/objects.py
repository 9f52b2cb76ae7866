"""The resource tree of a device: objects, instances, resources and their values. It holds, it does not judge.

Who may do what is decided by `simulator.enablement` and `simulator.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node, Value
from lwm2m.objects import Catalogue, core
from lwm2m.paths import Path

Live = Callable[[], Value]
"""A value that is computed when it is read, such as a clock."""

Resource = Value | dict[int, Value] | Live
Instance = dict[int, Resource]
Listener = Callable[[Path], None]

EXECUTABLE: dict[int, tuple[int, ...]] = {
    1: (4, 8, 9),
    3: (4, 5, 12),
    5: (2,),
    7: (6, 7),
    20: (4011, 4012),
}
"""What can be executed, by object: it has no value and so no place in the tree."""


class Sensor:
    """A live value that changes by itself and is worth a notification when it does."""

    __slots__ = ("_measure",)

    def __init__(self, measure: Live) -> None:
        self._measure = measure

    def __call__(self) -> Value:
        return self._measure()


class ObjectTree:
    """``/object/instance/resource`` with a value, or a dict of values for a multiple resource.

    ``listeners`` are told the path of whatever was written, created or removed.
    """

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.catalogue = core() if catalogue is None else catalogue
        self.versions: dict[int, str | None] = {}
        """Object versions that only this device has; None: the one that needs no telling."""
        self.listeners: list[Listener] = []
        self._objects: dict[int, dict[int, Instance]] = {}

    # -- looking -------------------------------------------------------------------------------------------

    @property
    def object_ids(self) -> list[int]:
        """Sorted ids of the objects this device has, also those without an instance."""
        return sorted(self._objects)

    def instance_ids(self, object_id: int) -> list[int]:
        return sorted(self._objects.get(object_id, {}))

    def instance(self, object_id: int, instance_id: int) -> Mapping[int, Resource]:
        """The resources of an instance, empty when there is none."""
        return self._objects.get(object_id, {}).get(instance_id, {})

    def value(self, object_id: int, instance_id: int, resource_id: int) -> Value:
        """The value of a single resource now; None when it is absent or multiple."""
        found = self.instance(object_id, instance_id).get(resource_id)
        if isinstance(found, dict):
            return None
        return found() if callable(found) else found

    def exists(self, path: Path) -> bool:
        """True when the tree has this object, instance, resource or resource instance."""
        if path.object_id is None:
            return True
        instances = self._objects.get(path.object_id)
        if instances is None or path.instance_id is None:
            return instances is not None
        instance = instances.get(path.instance_id)
        if instance is None or path.resource_id is None:
            return instance is not None
        if path.resource_id not in instance or path.resource_instance_id is None:
            return path.resource_id in instance
        found = instance[path.resource_id]
        return isinstance(found, dict) and path.resource_instance_id in found

    def nodes(self, path: Path) -> list[Node]:
        """Every value at or below ``path``, in order; raises 4.04 when there is no such place."""
        if not self.exists(path):
            raise not_found(path)
        return list(self._walk(path))

    def _walk(self, path: Path) -> Iterable[Node]:
        objects = self.object_ids if path.object_id is None else [path.object_id]
        for object_id in objects:
            instances = self.instance_ids(object_id) if path.instance_id is None else [path.instance_id]
            for instance_id in instances:
                instance = self._objects[object_id][instance_id]
                wanted = sorted(instance) if path.resource_id is None else [path.resource_id]
                for resource_id in wanted:
                    place = Path(object_id, instance_id, resource_id)
                    yield from _resource_nodes(place, instance[resource_id], path.resource_instance_id)

    def sensors(self, path: Path) -> bool:
        """True when something at or below ``path`` changes by itself."""
        return any(
            isinstance(found, Sensor)
            for object_id, instances in self._objects.items()
            if path.object_id in (None, object_id)
            for instance_id, instance in instances.items()
            if path.instance_id in (None, instance_id)
            for resource_id, found in instance.items()
            if path.resource_id in (None, resource_id)
        )

    def is_multiple(self, path: Path) -> bool:
        """Whether the resource that ``path`` is or lies in has instances."""
        stored = None
        if path.depth >= 3:
            object_id, instance_id, resource_id = path.ids[:3]
            stored = self.instance(object_id, instance_id).get(resource_id)
        model = self.catalogue.resource(path)
        return isinstance(stored, dict) or (model is not None and model.multiple)

    # -- changing ------------------------------------------------------------------------------------------

    def add_object(self, object_id: int) -> None:
        """Support an object; it may have no instance yet."""
        self._objects.setdefault(object_id, {})

    def set_instance(self, object_id: int, instance_id: int, resources: Instance) -> None:
        """Create an instance or replace it whole."""
        self._objects.setdefault(object_id, {})[instance_id] = dict(resources)
        self._tell(Path(object_id, instance_id))

    def set_instances(self, object_id: int, instances: Mapping[int, Instance]) -> None:
        """Create or replace many instances at once, and tell of them once."""
        held = self._objects.setdefault(object_id, {})
        held.update((number, dict(resources)) for number, resources in instances.items())
        self._tell(Path(object_id))

    def remove_instances(self, object_id: int, instance_ids: Iterable[int]) -> None:
        """Take many instances away, and tell of it once."""
        held = self._objects.get(object_id, {})
        for number in instance_ids:
            held.pop(number, None)
        self._tell(Path(object_id))

    def set(self, text: str, value: Resource) -> None:
        """Set one resource by its path as text: something happened inside the device, a measurement."""
        path = Path.parse(text)
        if path.depth != 3:
            raise ValueError(f"{text} is not the path of a resource")
        object_id, instance_id, resource_id = path.ids
        self._objects.setdefault(object_id, {}).setdefault(instance_id, {})[resource_id] = value
        self._tell(path)

    def write(self, nodes: Iterable[Node]) -> None:
        """Store decoded values; instances that are missing appear."""
        touched: dict[Path, None] = {}
        for node in nodes:
            ids = node.path.ids
            if len(ids) < 2:
                continue
            instance = self._objects.setdefault(ids[0], {}).setdefault(ids[1], {})
            if len(ids) == 4:
                held = instance.get(ids[2])
                values = held if isinstance(held, dict) else {}
                values[ids[3]] = node.value
                instance[ids[2]] = values
            elif len(ids) == 3:
                instance[ids[2]] = {} if node.value is None and self.is_multiple(node.path) else node.value
            touched[Path(*ids[:3])] = None
        for path in touched:
            self._tell(path)

    def remove(self, path: Path) -> None:
        """Take away what is there; the object itself stays supported."""
        if path.object_id is None:
            self._objects.clear()
        elif path.instance_id is None:
            self._objects[path.object_id] = {}
        elif path.resource_id is None:
            self._objects.get(path.object_id, {}).pop(path.instance_id, None)
        else:
            instance = self._objects.get(path.object_id, {}).get(path.instance_id, {})
            held = instance.get(path.resource_id)
            if path.resource_instance_id is None:
                instance.pop(path.resource_id, None)
            elif isinstance(held, dict):
                held.pop(path.resource_instance_id, None)
        self._tell(path)

    def _tell(self, path: Path) -> None:
        for listener in tuple(self.listeners):
            listener(path)

    def snapshot(self) -> dict[int, dict[int, Instance]]:
        """A copy to go back to by `restore` when a bootstrap fails half way."""
        return {
            object_id: {instance_id: _copied(instance) for instance_id, instance in instances.items()}
            for object_id, instances in self._objects.items()
        }

    def restore(self, saved: dict[int, dict[int, Instance]]) -> None:
        self._objects = saved
        self._tell(Path())


def _copied(instance: Instance) -> Instance:
    return {key: dict(value) if isinstance(value, dict) else value for key, value in instance.items()}


def _resource_nodes(place: Path, found: Resource, only: int | None) -> Iterable[Node]:
    if isinstance(found, dict):
        for index in sorted(found) if only is None else [only]:
            yield Node(place.child(index), found[index])
    else:
        yield Node(place, found() if callable(found) else found)


def not_found(path: Path) -> Lwm2mError:
    return Lwm2mError(Code.NOT_FOUND, "NOT_ON_DEVICE", f"{path} is not on this device.")

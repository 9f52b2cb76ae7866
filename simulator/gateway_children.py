"""The end devices behind a simulated gateway: no socket, no account, objects only once somebody asks for them."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from zlib import crc32

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.links import ObjectLinks
from lwm2m.paths import Path
from simulator.discover import object_links
from simulator.objects import Instance, Listener, ObjectTree, Sensor

Maker = Callable[[int], Instance]
"""Makes the instance of a sensor; the number gives every child a course of its own."""


def _swing(phase: int, middle: float, width: float, seconds: int) -> float:
    return round(middle + width * math.sin((time.time() + phase) * math.tau / seconds), 1)


def _consumed(phase: int) -> float:
    """Watt-hours since the turn of the millennium quarter: a counter never runs back."""
    return round((time.time() % 10_000_000) * 0.05 + phase, 2)


def _presses(phase: int) -> int:
    return int((time.time() + phase) // 30) % 10_000


def _thermometer(phase: int) -> Instance:
    course = Sensor(partial(_swing, phase, 14, 3, 600))
    return {5700: course, 5701: "Cel", 5601: 11.0, 5602: 17.0, 5750: "Room"}


def _hygrometer(phase: int) -> Instance:
    return {5700: Sensor(partial(_swing, phase, 60, 8, 900)), 5701: "%RH", 5601: 52.0, 5602: 68.0}


def _power_meter(phase: int) -> Instance:
    return {5800: Sensor(partial(_swing, phase, 180, 40, 300)), 5805: Sensor(partial(_consumed, phase))}


def _switch(phase: int) -> Instance:
    return {5850: phase % 2 == 0}


def _button(phase: int) -> Instance:
    return {5500: False, 5501: Sensor(partial(_presses, phase))}


KINDS: dict[str, dict[int, Maker]] = {
    "thermometer": {3303: _thermometer},
    "hygrometer": {3304: _hygrometer},
    "climate": {3303: _thermometer, 3304: _hygrometer},
    "meter": {3305: _power_meter},
    "switch": {3306: _switch},
    "button": {3347: _button},
}
"""What a child can be: the objects it has beside Device (``/3/0``)."""


class UnknownKind(ValueError):
    """No such kind of child; the text names the known ones."""


class Child:
    """One end device. ``identifier`` is ``/25/x/0``, ``prefix`` ``/25/x/1``: how its gateway routes to it.

    A child that nobody asks costs four fields. ``tree`` is made at the first request and stays.
    """

    __slots__ = ("_tree", "counts", "identifier", "kind", "prefix", "told")

    def __init__(self, identifier: str, kind: str = "climate", prefix: str = "") -> None:
        if kind not in KINDS:
            raise UnknownKind(f"{kind!r} is no kind of end device; known are {', '.join(KINDS)}.")
        self.identifier = identifier
        self.kind = kind
        self.prefix = prefix
        self.told: Listener | None = None
        self.counts: Counter[str] | None = None
        self._tree: ObjectTree | None = None

    @property
    def tree(self) -> ObjectTree:
        if self._tree is None:
            self._tree = _tree(self.identifier, self.kind)
            self._tree.listeners.append(self._changed)
        return self._tree

    @property
    def is_idle(self) -> bool:
        """True while nobody has asked it anything."""
        return self._tree is None

    @property
    def object_links(self) -> str:
        """``/25/x/3``: the same text for all of a kind."""
        return _object_links(self.kind)

    def execute(self, path: Path, arguments: bytes) -> Callable[[], None] | None:
        """The executable resources of a child; raises 4.05 for any other."""
        if path == Path(3, 0, 4):
            return partial(self._count, "rebooted")
        if path == Path(3, 0, 5):
            return self._reset
        if path == Path(3, 0, 12):
            return partial(self.tree.set, "/3/0/11", {0: 0})
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} cannot be executed.")

    def disappear(self) -> None:
        """Out of its gateway's reach: whoever observes it is told 4.04. What was written to it stays."""
        self.told = None
        if self._tree is not None:
            saved = self._tree.snapshot()
            self._tree.restore({})
            self._tree.restore(saved)

    def _reset(self) -> None:
        self._count("reset")
        self.tree.restore(_tree(self.identifier, self.kind).snapshot())

    def _count(self, what: str) -> None:
        self.counts = self.counts or Counter()
        self.counts[what] += 1

    def _changed(self, path: Path) -> None:
        if self.told is not None:
            self.told(path)


def numbered(gateway: str, count: int) -> Iterator[Child]:
    """``count`` children of different kinds, with names that no other gateway's children have."""
    kinds = tuple(KINDS)
    for number in range(count):
        yield Child(f"{gateway}:{number}", kinds[number % len(kinds)])


def _tree(identifier: str, kind: str) -> ObjectTree:
    phase = crc32(identifier.encode()) % 600
    tree = ObjectTree()
    tree.set_instance(
        3, 0, {0: "Virtual Devices", 1: f"Zigbee {kind}", 2: identifier, 3: "1.0.0", 11: {0: 0}}
    )
    for object_id, make in KINDS[kind].items():
        tree.set_instance(object_id, 0, make(phase))
    return tree


@lru_cache(maxsize=len(KINDS))
def _object_links(kind: str) -> str:
    links = object_links(_tree("", kind), "1.1")
    return ObjectLinks(objects=links.objects).encode().decode()

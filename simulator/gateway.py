"""A simulated M2M gateway: the end devices behind it, and object 25 that tells of them.

`OMA-TS-LWM2M_Gateway`: version 2.0 of the object; ``version="1.0"`` is that of `LightweightM2M_Core 1.2 E.12` with
its routing table ``/26``. How a server's requests find their way to a child is `simulator.gateway_service`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import replace

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.paths import Path
from simulator import reading
from simulator.gateway_children import KINDS, Child
from simulator.objects import Instance, Listener, ObjectTree

GATEWAY = 25
ROUTING = 26
VERSIONS = ("1.0", "2.0")

Prefixed = tuple[str, Path]
"""A place behind the gateway; the prefix of the gateway's own objects is empty."""


class Gateway:
    """The children of one device, by prefix. Adding, removing and renaming shows in the device's ``/25``.

    ``listeners`` are told when anything at the gateway or a child changes: a composite observation may mix them.
    ``leaving`` are told which child goes.
    """

    def __init__(self, tree: ObjectTree, children: Iterable[Child] = (), *, version: str = "2.0") -> None:
        if version not in VERSIONS:
            raise ValueError(f"Object 25 has the versions {', '.join(VERSIONS)}, not {version!r}.")
        self.listeners: list[Listener] = []
        self.leaving: list[Callable[[Child], None]] = []
        self._tree = tree
        self._version = version
        self._children: dict[str, Child] = {}
        self._instances: dict[str, int] = {}
        self._free: list[int] = []
        self._numbers = 0
        tree.versions[GATEWAY] = version if version != "1.0" else None
        tree.listeners.append(self._tell)
        self.restore()
        self.add(*children)

    # -- what is behind it ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._children)

    @property
    def children(self) -> list[Child]:
        return list(self._children.values())

    def child(self, prefix: str) -> Child | None:
        return self._children.get(prefix)

    def instance_of(self, child: Child) -> int | None:
        """x of ``/25/x``; None while the gateway does not tell of it."""
        return self._instances.get(child.prefix)

    # -- what happens on its local network -----------------------------------------------------------------

    def add(self, *children: Child, is_announced: bool = True) -> None:
        """Children join; one without a prefix gets ``devN``. Without announcement they can talk, but ``/25``
        does not tell of them until `announce`."""
        for child in children:
            child.prefix = child.prefix or self._new_prefix()
            if child.prefix in self._children:
                raise ValueError(f"The prefix {child.prefix} is taken.")
            self._children[child.prefix] = child
            child.told = self._tell
        if is_announced:
            self.announce(*children)

    def announce(self, *children: Child) -> None:
        """Tell of them in ``/25``: an Update with a new object list follows."""
        made: dict[int, Instance] = {}
        for child in children:
            number = self._instances[child.prefix] = self._new_number()
            made[number] = self._instance(child)
        if made:
            self._tree.set_instances(GATEWAY, made)

    def remove(self, *children: Child) -> None:
        """Children leave; each may be added to another gateway then, with what was written to it."""
        numbers = []
        for child in children:
            del self._children[child.prefix]
            number = self._instances.pop(child.prefix, None)
            if number is not None:
                numbers.append(number)
                heapq.heappush(self._free, number)
            child.disappear()
            for listener in tuple(self.leaving):
                listener(child)
            child.prefix = ""
        self._tree.remove_instances(GATEWAY, numbers)

    def rename(self, child: Child, prefix: str) -> None:
        """The child joined anew and got another prefix; its instance stays."""
        if prefix in self._children:
            raise ValueError(f"The prefix {prefix} is taken.")
        del self._children[child.prefix]
        number = self._instances.pop(child.prefix, None)
        child.disappear()
        child.prefix, child.told = prefix, self._tell
        self._children[prefix] = child
        if number is not None:
            self._instances[prefix] = number
            self._tree.set(f"/{GATEWAY}/{number}/1", prefix)

    def restore(self) -> None:
        """Write ``/25`` anew after a factory reset of the gateway: it still hears its children."""
        self._tree.add_object(GATEWAY)
        if self._version == "1.0":
            self._tree.set_instances(ROUTING, dict(enumerate(map(_routing, _routed_objects()))))
        known = {number: self._instance(self._children[prefix]) for prefix, number in self._instances.items()}
        if known:
            self._tree.set_instances(GATEWAY, known)

    # -- reading over several children ---------------------------------------------------------------------

    def tree_of(self, prefix: str) -> ObjectTree:
        """The objects behind a prefix; raises 4.04 when nothing is."""
        if not prefix:
            return self._tree
        child = self._children.get(prefix)
        if child is None:
            raise Lwm2mError(Code.NOT_FOUND, "NOT_ON_DEVICE", f"No end device has the prefix {prefix}.")
        return child.tree

    def composite(self, places: Iterable[Prefixed]) -> list[Node]:
        """What there is at ``places``, in their order; what is absent is left out (6.3.8)."""
        found: dict[Prefixed, Node] = {}
        for prefix, path in places:
            if prefix and prefix not in self._children:
                continue
            for node in reading.composite(self.tree_of(prefix), (path,)):
                found[prefix, node.path] = replace(node, prefix=prefix)
        return list(found.values())

    def sensors(self, path: Path) -> bool:
        """Something behind a gateway always moves by itself: composite observations look now and then."""
        return True

    def value(self, object_id: int, instance_id: int, resource_id: int) -> Value:
        """Of the gateway's own objects."""
        return self._tree.value(object_id, instance_id, resource_id)

    # -- within --------------------------------------------------------------------------------------------

    def _instance(self, child: Child) -> Instance:
        if self._version == "2.0":
            return {0: child.identifier, 1: child.prefix, 3: child.object_links}
        routed = _routed_objects()
        held = (3, *KINDS[child.kind])
        routes: dict[int, Value] = {
            index: ObjectLinkValue(ROUTING, routed.index(object_id)) for index, object_id in enumerate(held)
        }
        return {0: child.identifier, 1: child.prefix, 2: routes}

    def _new_number(self) -> int:
        if self._free:
            return heapq.heappop(self._free)
        self._numbers += 1
        return self._numbers - 1

    def _new_prefix(self) -> str:
        number = len(self._children)
        while f"dev{number}" in self._children:
            number += 1
        return f"dev{number}"

    def _tell(self, path: Path) -> None:
        for listener in tuple(self.listeners):
            listener(path)


def split(text: str) -> Prefixed:
    """``/dev0/3303/0/5700`` as prefix and path; without a prefix it speaks of the gateway itself."""
    first, _, rest = text.strip("/").partition("/")
    return ("", Path.parse(text)) if not first or first.isdigit() else (first, Path.parse(rest))


def _routed_objects() -> list[int]:
    return sorted({3, *(object_id for kind in KINDS.values() for object_id in kind)})


def _routing(object_id: int) -> Instance:
    """``/26/x``: an empty mapping says that the child has the object under its own number."""
    return {0: object_id, 1: ""}

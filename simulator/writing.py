"""Write, Write-Composite, Create and Delete on the tree, all or nothing.

`OMA-TS-LightweightM2M_Core 6.3.3` and following.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.objects import ValueType
from lwm2m.paths import Path
from simulator.answers import Answer
from simulator.objects import ObjectTree, not_found
from simulator.reading import HIDDEN, is_executable

Decoded = Callable[[Path | None], list[Node]]
"""The payload as values, relative to the given path, or to that of the request."""

SINGLE_INSTANCE = frozenset({1, 3, 4, 5, 6, 7, 25, 26})
"""Objects whose instances a server cannot create or delete: ``/1`` is in the hands of bootstrap alone, ``/25`` is what
a gateway sees."""

_PYTHON_TYPES: dict[ValueType, tuple[type, ...]] = {
    ValueType.STRING: (str,),
    ValueType.INTEGER: (int,),
    ValueType.UNSIGNED: (int,),
    ValueType.TIME: (int,),
    ValueType.FLOAT: (float, int),
    ValueType.BOOLEAN: (bool,),
    ValueType.OPAQUE: (bytes,),
    ValueType.OBJECT_LINK: (ObjectLinkValue,),
    ValueType.CORE_LINK: (str,),
}


def write(tree: ObjectTree, path: Path, nodes: Sequence[Node], *, replaces: bool) -> Answer:
    """Write (Replace) or Write (Partial Update) of an instance or a resource; raises 4.00, 4.04, 4.05."""
    if not tree.exists(Path(*path.ids[:2])):
        raise not_found(path)
    for node in nodes:
        _check(tree, node)
    if replaces and path.depth == 2:
        _clear(tree, path, {node.path.ids[2] for node in nodes if node.path.depth >= 3})
    elif replaces and path.depth == 3 and tree.is_multiple(path):
        tree.remove(path)
    tree.write(nodes)
    return Answer(Code.CHANGED)


def write_composite(tree: ObjectTree, nodes: Sequence[Node]) -> Answer:
    """Write-Composite: atomic, over several objects (6.3.9)."""
    check_composite(tree, nodes)
    store_composite(tree, nodes)
    return Answer(Code.CHANGED)


def check_composite(tree: ObjectTree, nodes: Sequence[Node]) -> None:
    """Raise unless every one of these may be written."""
    for node in nodes:
        if node.path.object_id in HIDDEN:
            raise Lwm2mError(Code.UNAUTHORIZED, "HIDDEN_OBJECT", "Only a bootstrap server may touch this.")
        if node.path.depth < 3 or not tree.exists(Path(*node.path.ids[:2])):
            raise not_found(node.path)
        _check(tree, node)


def store_composite(tree: ObjectTree, nodes: Sequence[Node]) -> None:
    """Write what `check_composite` let pass; no value deletes a resource instance."""
    for node in nodes:
        if node.value is None and node.path.depth == 4:
            tree.remove(node.path)
    tree.write([node for node in nodes if node.value is not None])


def create(tree: ObjectTree, path: Path, decoded: Decoded, *, is_named: bool) -> Answer:
    """A new instance; its id is in the payload or else chosen here and told in Location-Path (6.3.6)."""
    object_id = path.ids[0]
    if object_id not in tree.object_ids:
        raise not_found(path)
    model = tree.catalogue.objects.get(object_id)
    is_taken = model is not None and not model.multiple and bool(tree.instance_ids(object_id))
    if object_id in SINGLE_INSTANCE or is_taken:
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} has the instances it has.")
    chosen = next(number for number in range(65535) if number not in tree.instance_ids(object_id))
    nodes = decoded(None if is_named else path.child(chosen))
    named = {node.path.ids[1] for node in nodes if node.path.depth >= 2}
    if len(named) > 1:
        raise bad_request("BAD_PAYLOAD", "A Create makes one instance.")
    instance_id = named.pop() if named else chosen
    if instance_id in tree.instance_ids(object_id):
        raise bad_request("INSTANCE_EXISTS", f"/{object_id}/{instance_id} exists already.")
    for node in nodes:
        _check(tree, node)
    tree.set_instance(object_id, instance_id, {})
    tree.write(nodes)
    return Answer(Code.CREATED, location=() if named and is_named else (str(object_id), str(instance_id)))


def delete(tree: ObjectTree, path: Path) -> Answer:
    """Delete an instance or a resource instance (6.3.7)."""
    if not tree.exists(path):
        raise not_found(path)
    if path.depth not in (2, 4) or (path.depth == 2 and path.ids[0] in SINGLE_INSTANCE):
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} cannot be deleted.")
    if path.depth == 4:
        _check(tree, Node(path))
    tree.remove(path)
    return Answer(Code.DELETED)


def _check(tree: ObjectTree, node: Node) -> None:
    """Raise unless a server may write this value here."""
    path = node.path
    if path.depth < 3:
        return
    model = tree.catalogue.resource(path)
    place = Path(*path.ids[:3])
    if model is None and not tree.exists(place) and not is_executable(place):
        raise not_found(path)
    if is_executable(place) or (model is not None and "W" not in model.operations):
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} cannot be written.")
    if path.depth == 4 and not tree.is_multiple(path):
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{place} has no instances.")
    if model is not None and node.value is not None and not fits(node.value, model.type):
        raise bad_request("BAD_VALUE", f"{path} takes a value of type {model.type.value}.")


def fits(value: Value, kind: ValueType) -> bool:
    """Whether a decoded value is of the type that the model asks for."""
    expected = _PYTHON_TYPES.get(kind)
    if expected is None:
        return True
    if isinstance(value, bool) and kind is not ValueType.BOOLEAN:
        return False
    return isinstance(value, expected) and not (kind is ValueType.UNSIGNED and int(str(value)) < 0)


def _clear(tree: ObjectTree, path: Path, kept: set[int]) -> None:
    """Take away what a replacing write does not name, but nothing a server could not have written."""
    object_id, instance_id = path.ids
    for resource_id in list(tree.instance(object_id, instance_id)):
        place = path.child(resource_id)
        model = tree.catalogue.resource(place)
        if model is not None and "W" in model.operations and not model.mandatory and resource_id not in kept:
            tree.remove(place)

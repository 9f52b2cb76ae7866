"""What a device says it has: the object list of Register, Discover, and Bootstrap-Discover."""

from __future__ import annotations

from collections.abc import Iterator

from lwm2m.core_links import Link, encode_links
from lwm2m.object_links import HIDDEN_OBJECTS, ObjectLink, ObjectLinks
from lwm2m.paths import Path
from simulator import content
from simulator.attributes import AttributeTable, as_text
from simulator.objects import EXECUTABLE, ObjectTree, not_found

VERSIONS = {
    10: "1.1",
    11: "1.1",
    12: "1.1",
    13: "1.1",
    20: "2.1",
    3303: "1.1",
    3304: "1.1",
    3305: "1.1",
    3306: "1.1",
    3347: "1.1",
}
"""Object versions that differ from the default of the enabler (`OMA-TS-LightweightM2M_Core 7.2.2`)."""


def _version(tree: ObjectTree, object_id: int) -> str | None:
    return tree.versions[object_id] if object_id in tree.versions else VERSIONS.get(object_id)


def object_links(tree: ObjectTree, version: str, root_path: str = "") -> ObjectLinks:
    """The object list of Register (`OMA-TS-LightweightM2M_Core 6.2.1`): never ``/0`` and its like."""
    return ObjectLinks(
        root_path=root_path,
        content_formats=content.announced(version),
        objects={
            object_id: ObjectLink(_version(tree, object_id), tuple(tree.instance_ids(object_id)))
            for object_id in tree.object_ids
            if object_id not in HIDDEN_OBJECTS
        },
    )


_USUAL_DEPTH = {1: 2, 2: 1, 3: 0}


def discover(tree: ObjectTree, path: Path, attributes: AttributeTable, depth: int | None = None) -> bytes:
    """Discover (`OMA-TS-LightweightM2M_Core 6.3.2`): ``path``, and as many levels below it as ``depth`` says (1.2).

    Without it an object shows its instances and bare resources, an instance its resources, a resource itself.
    """
    if not tree.exists(path):
        raise not_found(path)
    levels = _USUAL_DEPTH[path.depth] if depth is None else depth
    bare = path.depth == 1 and depth is None
    links = [_described(tree, path, attributes, inherited=path.depth == 3)]
    links += [
        Link(str(below)) if bare and below.depth == 3 else _described(tree, below, attributes)
        for below in _below(tree, path, levels)
    ]
    return encode_links(links)


def _below(tree: ObjectTree, path: Path, levels: int) -> Iterator[Path]:
    for number in _numbers(tree, path) if levels > 0 else ():
        child = path.child(number)
        yield child
        yield from _below(tree, child, levels - 1)


def _numbers(tree: ObjectTree, path: Path) -> list[int]:
    """The ids one level below."""
    if path.depth == 1:
        return tree.instance_ids(path.ids[0])
    if path.depth == 2:
        return sorted({*tree.instance(*path.ids), *EXECUTABLE.get(path.ids[0], ())})
    held = tree.instance(*path.ids[:2]).get(path.ids[2]) if path.depth == 3 else None
    return sorted(held) if isinstance(held, dict) else []


def _described(tree: ObjectTree, path: Path, attributes: AttributeTable, *, inherited: bool = False) -> Link:
    said: list[tuple[str, str | None]] = []
    announced = _version(tree, path.ids[0]) if path.depth == 1 else None
    if announced is not None:
        said.append(("ver", announced))
    if path.depth == 3:
        held = tree.instance(*path.ids[:2]).get(path.ids[2])
        if isinstance(held, dict):
            said.append(("dim", str(len(held))))
    written = attributes.effective(path) if inherited else attributes.own(path)
    said += [(name, as_text(value)) for name, value in written.items()]
    return Link(str(path), tuple(said))


def bootstrap_discover(tree: ObjectTree, path: Path, version: str) -> bytes:
    """Bootstrap-Discover (6.1.7.2): instances, with the Short Server IDs that tell accounts apart."""
    if not tree.exists(path):
        raise not_found(path)
    links: list[Link] = []
    for object_id in tree.object_ids if path.object_id is None else [path.object_id]:
        instances = tree.instance_ids(object_id)
        announced = None if version == "1.0" else _version(tree, object_id)
        if not instances or announced is not None:
            links.append(Link(f"/{object_id}", (("ver", announced),) if announced is not None else ()))
        links += [
            Link(f"/{object_id}/{instance_id}", _account(tree, object_id, instance_id, version))
            for instance_id in instances
        ]
    payload = encode_links(links)
    if version == "1.0":
        return b'lwm2m="1.0"' + (b"," + payload if payload else b"")
    root = encode_links([Link("/", (("lwm2m", version),))])
    return root + (b"," + payload if payload else b"")


def _account(
    tree: ObjectTree, object_id: int, instance_id: int, version: str
) -> tuple[tuple[str, str | None], ...]:
    """``ssid`` on ``/0`` and ``/1``; the bootstrap account is the one without. ``uri`` came with 1.1."""
    if object_id == 0 and tree.value(0, instance_id, 1) is not True:
        said = (("ssid", str(tree.value(0, instance_id, 10))),)
        return said if version == "1.0" else (*said, ("uri", str(tree.value(0, instance_id, 0))))
    if object_id == 1:
        return (("ssid", str(tree.value(1, instance_id, 0))),)
    return ()

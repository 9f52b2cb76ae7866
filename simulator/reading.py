"""Read and Read-Composite: which values a server may see (`OMA-TS-LightweightM2M_Core 6.3.1`)."""

from __future__ import annotations

from lwm2m.codes import Code
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node
from lwm2m.paths import ROOT, Path
from simulator import content
from simulator.objects import EXECUTABLE, ObjectTree
from simulator.observations import Topic

HIDDEN = frozenset({0, 21, 23})
"""Security, OSCORE and COSE: 4.01 for every server but the one that bootstraps (R-16)."""


def read(tree: ObjectTree, topic: Topic, version: str) -> tuple[int, bytes]:
    """Content-Format and payload; raises `Lwm2mError` 4.01, 4.04, 4.05 or 4.06."""
    if topic.is_composite:
        nodes = composite(tree, topic.paths)
        return content.encode(nodes, ROOT, topic.accept, version)
    path = topic.paths[0]
    return content.encode(readable(tree, path), path, topic.accept, version)


def readable(tree: ObjectTree, path: Path) -> list[Node]:
    """The values a plain Read of ``path`` shows; what only a bootstrap server may read is left out."""
    if path.depth == 0 or is_executable(path):
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} cannot be read.")
    found = tree.nodes(path)
    nodes = [node for node in found if _may_read(tree, node.path)]
    if found and not nodes and path.depth >= 3:
        raise Lwm2mError(Code.METHOD_NOT_ALLOWED, "NOT_ALLOWED", f"{path} cannot be read.")
    return nodes


def composite(tree: ObjectTree, paths: tuple[Path, ...]) -> list[Node]:
    """What there is of ``paths``; whatever is absent or not readable is left out, not an error (6.3.8)."""
    found: dict[Path, Node] = {}
    for path in paths:
        for node in tree.nodes(path) if tree.exists(path) else []:
            if node.path.object_id not in HIDDEN and _may_read(tree, node.path):
                found[node.path] = node
    return [found[path] for path in sorted(found)]


def is_executable(path: Path) -> bool:
    return path.depth == 3 and path.ids[2] in EXECUTABLE.get(path.ids[0], ())


def _may_read(tree: ObjectTree, path: Path) -> bool:
    model = tree.catalogue.resource(path)
    return model is None or "R" in model.operations

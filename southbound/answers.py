"""What a device's answer says, as JSON for the mailbox: whatever is in it, it becomes something that can be stored.

A value of type opaque is {"base64": "..."}, an object link {"object_link": "3:0"}.
"""

from __future__ import annotations

import base64
from typing import Any

from devices.services.value_json import to_json
from lwm2m import formats
from lwm2m.codes import ContentFormat
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

_RAW_LIMIT = 4096


def read(
    path: Path,
    payload: bytes,
    content_format: int | None,
    location: tuple[str, ...],
    *,
    catalogue: Catalogue,
    root_path: str = "",
    prefix: str = "",
) -> Any:
    """A successful answer: `nodes` of path and value, or the raw bytes where they cannot be read.

    `path` is what was asked for, the root for composite operations. `created` is the instance that a Create
    made, by the Location of its answer (L-22). With `prefix` an end device was asked through its gateway, which may
    or may not repeat it.
    """
    said: dict[str, Any] = {}
    if location:
        said["location"] = "/" + text("/".join(location).encode())
        if created := _created(location, root_path, prefix):
            said["created"] = created
    if not payload:
        return said or None
    if content_format is not None:
        said["content_format"] = content_format
    if content_format == ContentFormat.LINK:
        return said | {"links": text(payload)}
    try:
        nodes = formats.decode(content_format, payload, path, catalogue)
    except Lwm2mError as error:
        return said | raw(payload, error.detail)
    return said | {"nodes": [_node(node, root_path, prefix) for node in nodes]}


def raw(payload: bytes, problem: str) -> dict[str, Any]:
    """An answer that cannot be read, as it came, and why."""
    shown = base64.b64encode(payload[:_RAW_LIMIT]).decode()
    return {"raw": {"base64": shown}, "problem": text(problem.encode(errors="replace"))}


def text(said: bytes) -> str:
    """What a device wrote, as text that any database takes."""
    return said.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def end_device(prefix: str, root_path: str) -> str:
    """The end device of a gateway that a name speaks of: its prefix without the alternate path."""
    if not root_path or prefix == root_path:
        return "" if prefix == root_path else prefix
    return prefix.removeprefix(f"{root_path}/")


def _created(location: tuple[str, ...], root_path: str, prefix: str) -> str:
    for part in (root_path, prefix):
        before = tuple(part.split("/")) if part else ()
        location = location[len(before) :] if location[: len(before)] == before else location
    try:
        found = Path.of(location)
    except Lwm2mError:
        return ""
    return str(found) if found.depth == 2 else ""


def _node(node: Node, root_path: str, own: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": str(node.path), "value": to_json(node.value)}
    if node.time is not None:
        shown["time"] = node.time
    prefix = end_device(node.prefix, root_path)
    return shown | ({"prefix": prefix} if prefix not in ("", own) else {})

"""What a device's answer says, as JSON for the mailbox: whatever is in it, it becomes something that can be stored.

A value of type opaque is {"base64": "..."}, an object link {"object_link": "3:0"}.
"""

from __future__ import annotations

import base64
from typing import Any

from devices.commands.models import Operation
from devices.telemetry.services.value_json import to_json
from lwm2m import formats
from lwm2m.codes import Code, ContentFormat
from lwm2m.errors import Lwm2mError, bad_request
from lwm2m.links import parse_links
from lwm2m.nodes import Node
from lwm2m.objects import Catalogue
from lwm2m.paths import Path
from southbound.peers import contents

_RAW_LIMIT = 4096
_VALUED = frozenset(
    {Operation.READ, Operation.OBSERVE, Operation.READ_COMPOSITE, Operation.OBSERVE_COMPOSITE}
)
"""These ask for values."""


def read(
    operation: str,
    path: Path,
    payload: bytes,
    content_format: int | None,
    location: tuple[str, ...],
    *,
    code: int = Code.CONTENT,
    catalogue: Catalogue,
    root_path: str = "",
    prefix: str = "",
) -> Any:
    """A successful answer: `nodes` of path and value, or the raw bytes where they cannot be read.

    `path` is what was asked for, the root for composite operations. `created` is the instance that a Create
    made, by the Location of its answer (L-22). With `prefix` an end device was asked through its gateway, which may
    or may not repeat it. What was asked for a value has one in a 2.05 alone, and none at all is an empty text or no
    bytes (OMA-TS-LightweightM2M_Core 7.4.1, 7.4.2).
    """
    said: dict[str, Any] = {}
    if location:
        said["location"] = "/" + contents.text("/".join(location).encode())
        if created := _created(location, root_path, prefix):
            said["created"] = created
    has_value = operation in _VALUED and code == Code.CONTENT
    if not payload and not has_value:
        return said or None
    if content_format is not None and 0 <= content_format <= formats.MAX_NUMBER:
        said["content_format"] = content_format
    if operation == Operation.DISCOVER or (content_format == ContentFormat.LINK and operation not in _VALUED):
        return said | _links(payload)
    try:
        nodes = _nodes(path, payload, content_format, catalogue, root_path, prefix)
    except Lwm2mError as error:
        return said | raw(payload, error.detail)
    return said | {"nodes": [_node(node) for node in nodes]}


def _links(payload: bytes) -> dict[str, Any]:
    """Discover is answered in link format, whatever the answer calls itself."""
    try:
        parse_links(payload)
    except Lwm2mError as error:
        return raw(payload, error.detail)
    return {"links": contents.text(payload)}


def _nodes(
    path: Path, payload: bytes, content_format: int | None, catalogue: Catalogue, root_path: str, own: str
) -> list[Node]:
    """What the asked device says of `path`. An answer that says nothing of it must not take known values away."""
    nodes = formats.decode(content_format, payload, path, catalogue)
    if not nodes:
        contents.check_said(path, payload, catalogue)
    for node in nodes:
        if (found := contents.end_device(node.prefix, root_path)) not in ("", own):
            raise bad_request(
                "PAYLOAD_MALFORMED", f"The answer speaks of {found}{node.path}, which was not asked."
            )
    return nodes


def raw(payload: bytes, problem: str) -> dict[str, Any]:
    """An answer that cannot be read, as it came, and why."""
    shown = base64.b64encode(payload[:_RAW_LIMIT]).decode()
    return {"raw": {"base64": shown}, "problem": contents.text(problem.encode(errors="replace"))}


def _created(location: tuple[str, ...], root_path: str, prefix: str) -> str:
    for part in (root_path, prefix):
        before = tuple(part.split("/")) if part else ()
        location = location[len(before) :] if location[: len(before)] == before else location
    try:
        found = Path.of(location)
    except Lwm2mError:
        return ""
    return str(found) if found.depth == 2 else ""


def _node(node: Node) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": str(node.path), "value": to_json(node.value)}
    return shown if node.time is None else shown | {"time": node.time}

"""The last `TRACE_LIMIT` protocol messages of each device: a ring of rows, written in bulk, secrets left out.

`record` is for a batch of messages in the caller's transaction: one statement on PostgreSQL, three on SQLite. The
table never grows beyond its rings, so nothing has to be cleaned. A payload is stored as what it means, never as bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.inventory import secrecy
from devices.telemetry import trace_rows
from devices.telemetry.models import TRACE_LIMIT, Direction
from lwm2m import formats, objects
from lwm2m.codes import ContentFormat
from lwm2m.errors import Lwm2mError
from lwm2m.nodes import Node, ObjectLinkValue, Value
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

__all__ = ["TRACE_LIMIT", "Direction", "Message", "payload", "payload_of_nodes", "record"]

PATH_LIMIT = 400
NODES_LIMIT = 200
TEXT_LIMIT = 2_000
VALUE_LIMIT = 200
SECRET_QUERY = ("psk", "key", "secret", "token", "password")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a device. `code` is set on responses only, which repeat method and path of their request.

    `path` carries the query too. `payload` is what `payload` or `payload_of_nodes` made of the bytes.
    """

    device_id: int
    at: datetime
    direction: str
    method: str
    path: str
    code: str = ""
    content_format: int | None = None
    payload: Any = None
    payload_bytes: int = 0
    duration_ms: float | None = None


def record(*, messages: Sequence[Message]) -> None:
    """Write these behind what is there, in their order; a device's oldest give way. The devices exist."""
    by_device: dict[int, list[Message]] = {}
    for message in messages:
        by_device.setdefault(message.device_id, []).append(message)
    counts = {device_id: len(by_device[device_id]) for device_id in sorted(by_device)}
    rows: list[trace_rows.Row] = []
    for device_id in counts:
        kept = by_device[device_id][-TRACE_LIMIT:]
        rows += [
            _row(message, behind_end)
            for message, behind_end in zip(kept, range(len(kept) - 1, -1, -1), strict=True)
        ]
    if rows:
        trace_rows.write(counts, rows, TRACE_LIMIT)


def payload(
    *, content_format: int | None, payload: bytes, path: str, catalogue: Catalogue | None = None
) -> Any:
    """What the bytes of a message about `path` mean, as JSON: nodes, links, text, or only how many they are."""
    if not payload:
        return None
    if content_format == ContentFormat.LINK:
        return {"links": _text(payload.decode(errors="replace"), TEXT_LIMIT)}
    try:
        place = Path.parse(path)
        nodes = formats.decode(content_format, payload, place, catalogue or objects.core(), names=True)
    except Lwm2mError as error:
        return {"bytes": len(payload), "problem": error.detail}
    return payload_of_nodes(nodes, catalogue)


def payload_of_nodes(nodes: Sequence[Node], catalogue: Catalogue | None = None) -> Any:
    """The same for nodes that were decoded already."""
    shown: dict[str, Any] = {"nodes": [_node(node, catalogue) for node in nodes[:NODES_LIMIT]]}
    return shown | ({"more": len(nodes) - NODES_LIMIT} if len(nodes) > NODES_LIMIT else {})


def _node(node: Node, catalogue: Catalogue | None) -> dict[str, Any]:
    path = str(node.path)
    is_hidden = node.value is not None and secrecy.is_secret(node.path, catalogue)
    shown: dict[str, Any] = {"path": path, "value": secrecy.MASK if is_hidden else _value(node.value)}
    if node.time is not None:
        shown["time"] = node.time
    return shown | ({"prefix": node.prefix} if node.prefix else {})


def _value(value: Value) -> Any:
    if isinstance(value, bytes):
        return {"bytes": len(value), "hex": value[: VALUE_LIMIT // 4].hex()}
    if isinstance(value, ObjectLinkValue):
        return {"object_link": str(value)}
    if isinstance(value, str):
        return _text(value, VALUE_LIMIT)
    if isinstance(value, float) and value - value != 0:  # JSON has no such number
        return str(value)
    return value


def _text(text: str, limit: int) -> str:
    clean = text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _row(message: Message, behind_end: int) -> trace_rows.Row:
    said = None if message.payload is None else json.dumps(message.payload)
    return (
        message.device_id,
        behind_end,
        message.at,
        message.direction,
        message.method[:8],
        _text(_without_secrets(message.path), PATH_LIMIT),
        message.code,
        message.content_format,
        said,
        message.payload_bytes,
        message.duration_ms,
    )


def _without_secrets(path: str) -> str:
    if "=" not in path:
        return path
    place, _, query = path.partition("?")
    parts = [
        f"{part.partition('=')[0]}={secrecy.MASK}" if part.partition("=")[0].lower() in SECRET_QUERY else part
        for part in query.split("&")
    ]
    return f"{place}?{'&'.join(parts)}" if query else place

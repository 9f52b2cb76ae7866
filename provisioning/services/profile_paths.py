"""What a bootstrap profile keeps as JSON: lists of paths, and access rights by path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devices.errors import Refused
from lwm2m.accounts import AccessRight
from lwm2m.errors import Lwm2mError
from lwm2m.paths import Path

_SERVER = re.compile(r"[0-9]{1,5}\Z")

CREATE_INSTANCES = 65535
"""Stands for an object as a whole in `/2/x/1`: the right to create its instances."""


def listed(paths: Any, field: str) -> tuple[Path, ...]:
    """A list of paths, also an emptied field of a form; raises Refused, with the field that is wrong."""
    if paths is None:
        return ()
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        example = '["/0", "/1"]' if field == "deletes" else '["/1", "/2"]'
        detail = f"{field.capitalize()} must be a list of paths, such as {example}."
        raise Refused("PROFILE_INVALID", detail, field)
    return tuple(_path(path, field) for path in paths)


def rights(rows: Any) -> tuple[AccessRight, ...]:
    """`/2` instances: of an instance, or of an object, where it is the right to create."""
    if rows is None:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise _refuse('Access rights are a list such as [{"path": "/3/0", "rights": {"0": 31}}].')
    return tuple(_right(row) for row in rows)


def _right(row: Mapping[str, Any]) -> AccessRight:
    path = _path(row.get("path"), "access_rights")
    given = row.get("rights")
    if path.object_id is None or path.depth > 2 or set(row) != {"path", "rights"}:
        raise _refuse("An access right has the path of an object or instance, and rights.")
    if not isinstance(given, Mapping) or not given:
        raise _refuse(f"Say who may do what on {path}: rights by Short Server ID.")
    if not all(_SERVER.match(str(server)) and type(bits) is int for server, bits in given.items()):
        raise _refuse(f"The rights on {path} are numbers by Short Server ID, 0 for every server.")
    instance_id = CREATE_INSTANCES if path.instance_id is None else path.instance_id
    return AccessRight(
        path.object_id, instance_id, tuple((int(server), bits) for server, bits in given.items())
    )


def _path(text: Any, field: str) -> Path:
    try:
        return Path.parse(text if isinstance(text, str) else "")
    except Lwm2mError as error:
        words = field.replace("_", " ").capitalize()
        raise Refused("PROFILE_INVALID", f"{words}: {error.detail}", field) from None


def _refuse(detail: str) -> Refused:
    return Refused("PROFILE_INVALID", detail, "access_rights")

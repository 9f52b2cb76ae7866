"""What a bootstrap profile keeps as JSON: lists of paths, and access rights by path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from accounts.errors import Refused
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
        raise Refused(
            "PROFILE_DELETES_NO_LIST" if field == "deletes" else "PROFILE_READS_NO_LIST", field=field
        )
    return tuple(_path(path, field) for path in paths)


def rights(rows: Any) -> tuple[AccessRight, ...]:
    """`/2` instances: of an instance, or of an object, where it is the right to create."""
    if rows is None:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Refused("PROFILE_RIGHTS_NO_LIST", field="access_rights")
    return tuple(_right(row) for row in rows)


def _right(row: Mapping[str, Any]) -> AccessRight:
    path = _path(row.get("path"), "access_rights")
    given = row.get("rights")
    if path.object_id is None or path.depth > 2 or set(row) != {"path", "rights"}:
        raise Refused("PROFILE_RIGHT_INCOMPLETE", field="access_rights")
    if not isinstance(given, Mapping) or not given:
        raise Refused("PROFILE_RIGHT_EMPTY", field="access_rights", path=path)
    if not all(_SERVER.match(str(server)) and type(bits) is int for server, bits in given.items()):
        raise Refused("PROFILE_RIGHT_NO_NUMBERS", field="access_rights", path=path)
    instance_id = CREATE_INSTANCES if path.instance_id is None else path.instance_id
    return AccessRight(
        path.object_id, instance_id, tuple((int(server), bits) for server, bits in given.items())
    )


def _path(text: Any, field: str) -> Path:
    try:
        return Path.parse(text if isinstance(text, str) else "")
    except Lwm2mError as error:
        raise Refused(
            "PROFILE_DELETES_PATH"
            if field == "deletes"
            else "PROFILE_READS_PATH"
            if field == "reads"
            else "PROFILE_RIGHTS_PATH",
            field=field,
            said=error.detail,
        ) from None

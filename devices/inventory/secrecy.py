"""Which resources hold secrets, and how those leave and enter: masked in what is shown, sealed in what waits.

A secret is known by its place (keys of the objects Security and OSCORE) or by its name in the object model, whether
the model is shipped or was loaded by an operator, and in whichever of its versions: a version read wrongly must not
show a key. Where no model knows an object that only holds credentials, all of it is secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from audit.masking import MASK, is_secret_name
from devices.inventory import object_models, vault
from lwm2m import objects
from lwm2m.errors import Lwm2mError
from lwm2m.json_text import dumps, loads
from lwm2m.object_links import HIDDEN_OBJECTS
from lwm2m.objects import Catalogue, ObjectModel, ResourceModel, ValueType
from lwm2m.paths import Path

__all__ = ["MASK", "Secrets", "is_secret", "masked", "of_operator", "opened", "sealed"]

_SEALED = "sealed"
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}://)[^\s/?#@]{1,1000}@")
_MAY_BE_SECRET = (ValueType.STRING, ValueType.OPAQUE, ValueType.UNKNOWN)


def is_secret(path: Path, catalogue: Catalogue | None = None) -> bool:
    """Whether the value at `path` may never be shown; false above resources. `catalogue` adds to the shipped one."""
    if path.resource_id is None:
        return False
    if is_secret_name(str(Path(*path.ids[:3]))):
        return True
    known = [
        model
        for one in _models(path.object_id, catalogue)
        if (model := one.resources.get(path.resource_id)) is not None
    ]
    return any(map(_is_secret_model, known)) if known else path.object_id in HIDDEN_OBJECTS


def _models(object_id: int | None, catalogue: Catalogue | None) -> Iterator[ObjectModel]:
    """The models of an object in all versions, shipped and loaded; a few more than once."""
    if object_id is None:
        return
    for known in (objects.core(), catalogue):
        if known is not None:
            yield from known.versions.get(object_id, {}).values()
            if object_id in known.objects:
                yield known.objects[object_id]


def _is_secret_model(model: ResourceModel) -> bool:
    return model.type in _MAY_BE_SECRET and is_secret_name(model.name)


class Secrets:
    """The secrets of one catalogue, for the write path, where most paths were seen before."""

    LIMIT = 65_536

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._seen: dict[str, bool] = {}

    def __contains__(self, path: str) -> bool:
        found = self._seen.get(path)
        if found is None:
            if len(self._seen) >= self.LIMIT:
                self._seen.clear()
            found = self._seen[path] = is_secret_text(path, self.catalogue)
        return found


CATALOGUES_LIMIT = 64
_kept: dict[int | None, Secrets] = {}
_kept_by_id: dict[int, Secrets] = {}


def of_operator(operator_id: int | None) -> Secrets:
    """By the shipped models and what was loaded for the operator."""
    catalogue = object_models.catalogue(operator_id)
    kept = _kept.get(operator_id)
    if kept is None or kept.catalogue is not catalogue:
        kept = _kept[operator_id] = Secrets(catalogue)
    return kept


def _of(catalogue: Catalogue) -> Secrets:
    """The same by the catalogue itself; few are alive at a time."""
    kept = _kept_by_id.get(id(catalogue))
    if kept is None or kept.catalogue is not catalogue:
        if len(_kept_by_id) >= CATALOGUES_LIMIT:
            _kept_by_id.clear()
        kept = _kept_by_id[id(catalogue)] = Secrets(catalogue)
    return kept


def is_secret_text(path: str, catalogue: Catalogue | None = None) -> bool:
    """`is_secret` of a path that may be none."""
    try:
        return is_secret(Path.parse(path), catalogue)
    except Lwm2mError:
        return False


def sealed(arguments: Mapping[str, Any], path: Path, catalogue: Catalogue | None = None) -> dict[str, Any]:
    """Arguments as they wait in the mailbox: values of secret resources encrypted."""

    def seal(value: Any) -> Any:
        return {_SEALED: vault.seal(dumps(value))} if value is not None else None

    return _with_secrets(arguments, path, catalogue, seal)


def opened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that `sealed` was given; for whoever sends them now. Raises `vault.Unreadable`."""

    def open_one(value: Any) -> Any:
        return loads(vault.open_sealed(value[_SEALED])) if _is_sealed(value) else value

    shown = dict(arguments)
    if "value" in shown:
        shown["value"] = open_one(shown["value"])
    if isinstance(shown.get("values"), Mapping):
        shown["values"] = {name: open_one(value) for name, value in shown["values"].items()}
    return shown


def revisited(arguments: Mapping[str, Any], visit: Callable[[str], str]) -> dict[str, Any]:
    """Arguments as they wait, with another token for each that is in them."""

    def again(value: Any) -> Any:
        return {_SEALED: visit(value[_SEALED])} if _is_sealed(value) else value

    kept = dict(arguments)
    if "value" in kept:
        kept["value"] = again(kept["value"])
    if isinstance(kept.get("values"), Mapping):
        kept["values"] = {name: again(value) for name, value in kept["values"].items()}
    return kept


def masked(said: Any, path: Path, catalogue: Catalogue | None = None) -> Any:
    """Arguments or an answer of a command as people may see them: secrets are "(hidden)"."""
    if not isinstance(said, Mapping):
        return said
    shown = _with_secrets(said, path, catalogue, lambda value: MASK)
    if isinstance(nodes := shown.get("nodes"), list):
        shown["nodes"] = [_masked_node(node, catalogue) for node in nodes]
    if "raw" in shown and _may_hold_secrets(path, catalogue):
        shown["raw"] = MASK
    return without_passwords(shown)


def without_passwords(said: Any) -> Any:
    """JSON as people may see it: of addresses in its texts that carry a password (RFC 3986 section 3.2.1), none."""
    if isinstance(said, str):
        return _USERINFO.sub(rf"\1{MASK}@", said)
    if isinstance(said, Mapping):
        return {name: without_passwords(value) for name, value in said.items()}
    if isinstance(said, list | tuple):
        return [without_passwords(value) for value in said]
    return said


def _masked_node(node: Any, catalogue: Catalogue | None) -> Any:
    if not isinstance(node, Mapping) or node.get("value") is None:
        return node
    return {**node, "value": MASK} if str(node.get("path")) in _of(catalogue or objects.core()) else node


def _may_hold_secrets(path: Path, catalogue: Catalogue | None) -> bool:
    """Whether bytes that nobody could read may hold a key, as far as `path` says what they are about."""
    if path.resource_id is not None:
        return is_secret(path, catalogue)
    if path.object_id is None or path.object_id in HIDDEN_OBJECTS:
        return True
    return any(
        is_secret(Path(path.object_id, 0, resource_id), catalogue)
        for model in _models(path.object_id, catalogue)
        for resource_id in model.resources
    )


def _with_secrets(
    said: Mapping[str, Any], path: Path, catalogue: Catalogue | None, hide: Callable[[Any], Any]
) -> dict[str, Any]:
    shown = dict(said)
    if "value" in shown and (is_secret(path, catalogue) or _is_sealed(shown["value"])):
        shown["value"] = hide(shown["value"])
    values = shown.get("values")
    if isinstance(values, Mapping):
        shown["values"] = {
            name: hide(value) if _is_secret_below(name, path, catalogue) or _is_sealed(value) else value
            for name, value in values.items()
        }
    return shown


def _is_secret_below(name: str, path: Path, catalogue: Catalogue | None) -> bool:
    """`name` is an absolute path, or relative to the instance that a Create leaves open."""
    try:
        found = Path.parse(name) if name.startswith("/") else Path.parse(f"{path}/0/{name}")
    except Lwm2mError:
        return False
    return is_secret(found, catalogue)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get(_SEALED), str)

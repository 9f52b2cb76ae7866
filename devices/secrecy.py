"""Which resources hold secrets, and how those leave and enter: masked in what is shown, sealed in what waits.

A secret is known by its place (keys of the objects Security and OSCORE) or by its name in the object model. Where no
model knows an object that only holds credentials, all of it is secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from audit.masking import MASK, is_secret_name
from devices import vault
from lwm2m import objects
from lwm2m.errors import Lwm2mError
from lwm2m.json_text import dumps, loads
from lwm2m.object_links import HIDDEN_OBJECTS
from lwm2m.objects import Catalogue, ValueType
from lwm2m.paths import Path

__all__ = ["MASK", "is_secret", "is_secret_text", "masked", "opened", "sealed"]

_SEALED = "sealed"
_MAY_BE_SECRET = (ValueType.STRING, ValueType.OPAQUE)


def is_secret(path: Path, catalogue: Catalogue | None = None) -> bool:
    """Whether the value at `path` may never be shown; false above resources."""
    if path.resource_id is None:
        return False
    if is_secret_name(str(Path(*path.ids[:3]))):
        return True
    known = (catalogue or objects.core()).resource(path)
    if known is None:
        return path.object_id in HIDDEN_OBJECTS
    return known.type in _MAY_BE_SECRET and is_secret_name(known.name)


@lru_cache(maxsize=65_536)
def is_secret_text(path: str) -> bool:
    """`is_secret` by the core models for the write path, where most paths were seen before."""
    try:
        return is_secret(Path.parse(path))
    except Lwm2mError:
        return False


def sealed(arguments: Mapping[str, Any], path: Path, catalogue: Catalogue | None = None) -> dict[str, Any]:
    """Arguments as they wait in the mailbox: values of secret resources encrypted."""

    def seal(value: Any) -> Any:
        return {_SEALED: vault.seal(dumps(value))} if value is not None else None

    return _with_secrets(arguments, path, catalogue, seal)


def opened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that `sealed` was given; for whoever sends them now."""

    def open_one(value: Any) -> Any:
        return loads(vault.open_sealed(value[_SEALED])) if _is_sealed(value) else value

    shown = dict(arguments)
    if "value" in shown:
        shown["value"] = open_one(shown["value"])
    if isinstance(shown.get("values"), Mapping):
        shown["values"] = {name: open_one(value) for name, value in shown["values"].items()}
    return shown


def masked(said: Any, path: Path) -> Any:
    """Arguments or an answer of a command as people may see them: secrets are "(hidden)"."""
    if not isinstance(said, Mapping):
        return said
    shown = _with_secrets(said, path, None, lambda value: MASK)
    if isinstance(nodes := shown.get("nodes"), list):
        shown["nodes"] = [_masked_node(node) for node in nodes]
    if "raw" in shown and path.object_id in HIDDEN_OBJECTS:
        shown["raw"] = MASK
    return shown


def _masked_node(node: Any) -> Any:
    if isinstance(node, Mapping) and node.get("value") is not None and is_secret_text(str(node.get("path"))):
        return {**node, "value": MASK}
    return node


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
    return isinstance(value, Mapping) and _SEALED in value

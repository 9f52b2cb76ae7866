"""What Write, Create and Write-Composite carry: modes, and values by path against the object model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.errors import Refused
from devices.commands.models import Operation
from devices.commands.services import operation_formats, operation_values
from devices.commands.services.operation_asks import Ask, check_composite, check_depth, may, parse
from devices.inventory import secrecy
from lwm2m.object_links import HIDDEN_OBJECTS
from lwm2m.paths import ROOT, Path

VALUES_LIMIT = 100


def write(ask: Ask) -> dict[str, Any]:
    if ask.path.depth == 1:
        raise Refused("OBJECT_WRITTEN_WHOLE", field="path")
    check_depth(ask, 2, 3, 4)
    mode = ask.given.get("mode") or ("update" if ask.path.depth == 2 else "replace")
    if mode not in ("replace", "update"):
        raise Refused("WRITE_MODE_UNKNOWN", field="mode")
    if mode == "update" and ask.path.depth == 4:
        raise Refused("RESOURCE_INSTANCE_UPDATED", field="mode")
    if mode == "update" and ask.path.depth == 3 and ask.version == "1.0":
        raise Refused("RESOURCE_UPDATED_BEFORE_1_1", field="mode")
    content = _content(ask, at_least=1)
    return {**content, "mode": mode, "replace": mode == "replace"} | operation_formats.wish(
        ask.given, ask.path, "write", values=len(content.get("values", "1"))
    )


def _content(ask: Ask, *, at_least: int) -> dict[str, Any]:
    """`value` of the path itself, or `values` by absolute path; relative names are below the path."""
    if "value" in ask.given:
        if "values" in ask.given:
            raise Refused("VALUE_AND_VALUES", field="value")
        return _single(ask)
    values = ask.given.get("values", {})
    if not isinstance(values, Mapping) or len(values) < at_least:
        raise Refused("NOTHING_TO_WRITE", field="values")
    if ask.path.depth == 4:
        raise Refused("RESOURCE_INSTANCE_HAS_ONE_VALUE", field="values")
    return {"values": {str(path): _value(ask, path, v) for path, v in _below(ask.path, values).items()}}


def _single(ask: Ask) -> dict[str, Any]:
    if ask.path.depth < 3:
        raise Refused("NO_VALUE_OF_ITS_OWN", field="value", path=ask.path)
    value, model = ask.given["value"], ask.model(ask.path)
    if isinstance(value, Mapping) and value and all(str(name).isdigit() for name in value):
        if ask.path.depth == 4 or (model is not None and not model.multiple):
            raise Refused("ONE_VALUE_ONLY", field="value", path=ask.path)
        parts = {ask.path.child(int(name)): one for name, one in value.items()}
        return {"values": {str(path): _value(ask, path, one) for path, one in parts.items()}}
    if ask.path.depth == 3 and model is not None and model.multiple:
        raise Refused("RESOURCE_HAS_INSTANCES", field="value", resource=model.name)
    return {"value": _value(ask, ask.path, value)}


def _below(parent: Path, values: Mapping[Any, Any]) -> dict[Path, Any]:
    found: dict[Path, Any] = {}
    for name, value in values.items():
        text = str(name)
        path = parse(text if text.startswith("/") else f"{parent}/{text}", "values")
        if not parent.contains(path) or path.depth < 3:
            raise Refused("NO_RESOURCE_BELOW", field="values", path=text, parent=parent)
        found[path] = value
    _apart(found)
    return found


def _apart(paths: Mapping[Path, Any]) -> None:
    """A resource and one of its instances cannot both be written at once."""
    for path in paths:
        if path.depth == 4 and path.parent in paths:
            raise Refused("PATHS_OVERLAP", field="values", parent=path.parent, path=path)


def _value(ask: Ask, path: Path, value: Any) -> Any:
    if path.object_id in HIDDEN_OBJECTS and secrecy.is_secret(path, ask.catalogue):
        raise Refused("KEYS_BY_BOOTSTRAP_ONLY", field="path", path=path)
    model = ask.model(path) if ask.operation == Operation.CREATE else may(ask, path, "W")
    if path.depth == 4 and model is not None and not model.multiple:
        raise Refused("RESOURCE_HAS_NO_INSTANCES", field="path", resource=model.name, path=path.parent)
    return operation_values.checked(value, path, model)


def create(ask: Ask) -> dict[str, Any]:
    """Canonical path is the object; `Ask.path` may name the instance, as `instance_id` may."""
    check_depth(ask, 1, 2)
    instance_id = ask.path.instance_id if ask.path.depth == 2 else ask.given.get("instance_id")
    if instance_id is not None and (isinstance(instance_id, bool) or not isinstance(instance_id, int)):
        raise Refused("INSTANCE_ID_OUT_OF_RANGE", field="instance_id")
    home = parse(f"/{ask.path.object_id}/{0 if instance_id is None else instance_id}", "instance_id")
    values = ask.given.get("values", {})
    if not isinstance(values, Mapping):
        raise Refused("VALUES_NO_OBJECT", field="values")
    checked = {path: _value(ask, path, value) for path, value in _below(home, values).items()}
    wish = operation_formats.wish(ask.given, Path(ask.path.object_id), "write" if checked else "empty")
    form = (lambda path: "/".join(path.segments[2:])) if instance_id is None else str
    return {
        "instance_id": instance_id,
        "values": {form(path): value for path, value in checked.items()},
    } | wish


def write_composite(ask: Ask) -> dict[str, Any]:
    check_composite(ask)
    values = ask.given.get("values")
    if not isinstance(values, Mapping) or not 1 <= len(values) <= VALUES_LIMIT:
        raise Refused("VALUES_COUNT", field="values", limit=VALUES_LIMIT)
    written: dict[str, Any] = {}
    for path, value in _below(ROOT, values).items():
        if value is None and path.depth != 4:
            raise Refused("NULL_DELETES_RESOURCE_INSTANCE", field="values", path=path)
        written[str(path)] = None if value is None else _value(ask, path, value)
    deletes = None in written.values()
    return {"values": written} | operation_formats.wish(ask.given, ROOT, "etch" if deletes else "patch")

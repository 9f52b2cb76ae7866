"""`manage.py lwm2m` in words: what was typed as an operation with arguments, and an answer as lines of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.errors import Refused
from devices.commands.models import Operation
from devices.commands.services import operation_rules
from lwm2m.errors import Lwm2mError
from lwm2m.objects import Catalogue, ResourceModel, ValueType
from lwm2m.paths import Path

_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Typed:
    """An operation as `operations.request` takes it."""

    path: str = ""
    paths: tuple[str, ...] = ()
    arguments: dict[str, Any] = field(default_factory=dict)


def typed(operation: str, words: Sequence[str], attributes: Sequence[str], catalogue: Catalogue) -> Typed:
    """PATH [VALUE…]: composite operations take paths, writes a value or ID=VALUE. Raises Refused."""
    extra = {"attributes": dict(_attribute(text) for text in attributes)} if attributes else {}
    if operation == Operation.WRITE_COMPOSITE:
        pairs = dict(_pair(word, Path(), catalogue) for word in words)
        return Typed(arguments={"values": pairs, **extra})
    if operation in operation_rules.COMPOSITE:
        return Typed(paths=tuple(words), arguments=extra)
    path, given = (words[0], words[1:]) if words else ("", ())
    if operation == Operation.EXECUTE:
        return Typed(path, arguments={"arguments": ",".join(given), **extra})
    if operation in (Operation.WRITE, Operation.CREATE):
        return Typed(path, arguments={**_written(operation, _place(path), given, catalogue), **extra})
    if given:
        raise Refused("TAKES_PATH_ONLY", field="value", operation=operation, given=given[0])
    return Typed(path, arguments=extra)


def _written(operation: str, path: Path, given: Sequence[str], catalogue: Catalogue) -> dict[str, Any]:
    if len(given) == 1 and path.depth >= 3:
        return {"value": value(given[0], catalogue.resource(path))}
    home = path if path.depth > 1 or operation != Operation.CREATE else path.child(0)
    return {"values": dict(_pair(word, home, catalogue) for word in given)}


def _pair(word: str, home: Path, catalogue: Catalogue) -> tuple[str, Any]:
    name, separator, text = word.partition("=")
    if not separator:
        raise Refused("PAIR_MALFORMED", field="values", word=word)
    place = _place(name if name.startswith("/") else f"{home}/{name}")
    return name, None if text == "null" else value(text, catalogue.resource(place))


def _place(text: str) -> Path:
    try:
        return Path.parse(text)
    except Lwm2mError as error:
        raise Refused("PATH_MALFORMED", field="path", said=error.detail) from None


def value(text: str, model: ResourceModel | None) -> Any:
    """What was typed, as the model's type; without a model JSON where it is JSON, else text."""
    kind = model.type if model else None
    if kind in (ValueType.STRING, ValueType.CORE_LINK, ValueType.OBJECT_LINK):
        return text
    if kind is ValueType.BOOLEAN:
        return _TRUTH.get(text.lower(), text)
    if kind is ValueType.OPAQUE:
        return {"base64": text}
    try:
        return json.loads(text)
    except ValueError:
        return text


def _attribute(text: str) -> tuple[str, Any]:
    name, separator, given = text.partition("=")
    return name, value(given, None) if separator and given else None


def rows(answer: Any, catalogue: Catalogue) -> list[tuple[str, str, str, str]]:
    """Path, name, value and units of every value in the answer."""
    nodes = answer.get("nodes", ()) if isinstance(answer, Mapping) else ()
    found = []
    for node in nodes:
        path = _place(node["path"])
        model = catalogue.resource(path)
        units = model.units if model else ""
        found.append((node["path"], catalogue.name(path), shown(node["value"]), units))
    return found


def shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return str(next(iter(value.values()), ""))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def table(lines: Sequence[Sequence[str]]) -> list[str]:
    """Columns under their headings, each as wide as its widest cell."""
    titled = [("PATH", "NAME", "VALUE", "UNITS"), *lines]
    widths = [max(len(row[column]) for row in titled) for column in range(4)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in titled
    ]

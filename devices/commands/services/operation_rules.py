"""What each operation may be asked for: its path, its arguments, what the object model allows. One function each.

A rule gets an `Ask` and returns the arguments in the form the mailbox keeps (see `operations`), or raises Refused.
`force` leaves the model out of it, so that a device's own refusal can be seen; the rules of the protocol stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accounts.errors import Refused
from devices.commands.models import Operation
from devices.commands.services import attribute_rules, operation_contents, operation_formats
from devices.commands.services.operation_asks import Ask, check_composite, check_depth, may
from lwm2m.paths import ROOT

PATHS_LIMIT = 100
_ARGUMENT_LIST = re.compile(
    r"[0-9](?:='[\x21\x23-\x26\x28-\x5b\x5d-\x7e]*')?(?:,[0-9](?:='[\x21\x23-\x26\x28-\x5b\x5d-\x7e]*')?)*\Z"
)


def _read(ask: Ask) -> dict[str, Any]:
    check_depth(ask, 1, 2, 3, 4)
    may(ask, ask.path, "R")
    return operation_formats.wish(ask.given, ask.path, "read")


def _discover(ask: Ask) -> dict[str, Any]:
    check_depth(ask, 1, 2, 3)
    depth = ask.given.get("depth")
    if depth is None:
        return {}
    if isinstance(depth, bool) or not isinstance(depth, int) or not 0 <= depth <= 3:
        raise Refused("DISCOVER_DEPTH", field="depth")
    if ask.version in ("1.0", "1.1"):
        raise Refused("DISCOVER_DEPTH_SINCE_1_2", field="depth", version=ask.version)
    return {"depth": depth}


def _write_attributes(ask: Ask) -> dict[str, Any]:
    check_depth(ask, 1, 2, 3, 4)
    attributes = attribute_rules.checked(
        ask.given.get("attributes"),
        path=ask.path,
        model=ask.model(ask.path),
        version=ask.version,
        may_unset=True,
    )
    if not attributes:
        raise Refused("ATTRIBUTES_MISSING", field="attributes")
    return {"attributes": attributes}


def _execute(ask: Ask) -> dict[str, Any]:
    check_depth(ask, 3)
    may(ask, ask.path, "E")
    given = ask.given.get("arguments", "")
    text = _argument_list(given) if isinstance(given, Mapping) else given
    if not isinstance(text, str) or (text and not ask.force and not _ARGUMENT_LIST.match(text)):
        raise Refused("EXECUTE_ARGUMENTS", field="arguments")
    return {"arguments": text} if text else {}


def _argument_list(given: Mapping[Any, Any]) -> str:
    return ",".join(
        str(number) if text is None else f"{number}='{text}'" for number, text in sorted(given.items())
    )


def _delete(ask: Ask) -> dict[str, Any]:
    check_depth(ask, 2, 4)
    return {}


def _observe(ask: Ask) -> dict[str, Any]:
    check_depth(ask, 1, 2, 3, 4)
    model = may(ask, ask.path, "R")
    attributes = attribute_rules.checked(
        ask.given.get("attributes") or {},
        path=ask.path,
        model=model,
        version=ask.version,
        may_unset=False,
    )
    return {"attributes": attributes} | operation_formats.wish(ask.given, ask.path, "read")


def _cancel_observe(ask: Ask) -> dict[str, Any]:
    check_depth(ask, 1, 2, 3, 4)
    return _cancel_mode(ask)


def _cancel_mode(ask: Ask) -> dict[str, Any]:
    mode = ask.given.get("mode", "active")
    if mode not in ("active", "passive"):
        raise Refused("CANCEL_MODE", field="mode")
    return {"mode": mode}


def _composite(ask: Ask) -> dict[str, Any]:
    check_composite(ask)
    if not ask.paths:
        raise Refused("COMPOSITE_PATHS_MISSING", field="paths")
    if len(ask.paths) > PATHS_LIMIT or len(set(ask.paths)) != len(ask.paths):
        raise Refused("COMPOSITE_PATHS_ONCE", field="paths", limit=PATHS_LIMIT)
    if ROOT in ask.paths and (len(ask.paths) > 1 or ask.operation != Operation.READ_COMPOSITE):
        raise Refused("ROOT_STANDS_ALONE", field="paths")
    # What cannot be read is named all the same: the device leaves it out of its answer (int-281).
    return {"paths": [str(path) for path in ask.paths]}


def _read_composite(ask: Ask) -> dict[str, Any]:
    return _composite(ask) | operation_formats.wish(ask.given, ROOT, "composite")


def _observe_composite(ask: Ask) -> dict[str, Any]:
    found = _composite(ask)
    attributes = attribute_rules.checked(
        ask.given.get("attributes") or {}, path=ROOT, model=None, version=ask.version, may_unset=False
    )
    if attributes and ask.version in ("1.0", "1.1"):
        raise Refused("OBSERVE_ATTRIBUTES_SINCE_1_2", field="attributes")
    return found | {"attributes": attributes} | operation_formats.wish(ask.given, ROOT, "composite")


def _cancel_observe_composite(ask: Ask) -> dict[str, Any]:
    return _composite(ask) | _cancel_mode(ask)


RULES: dict[str, Callable[[Ask], dict[str, Any]]] = {
    Operation.READ: _read,
    Operation.DISCOVER: _discover,
    Operation.WRITE: operation_contents.write,
    Operation.WRITE_ATTRIBUTES: _write_attributes,
    Operation.EXECUTE: _execute,
    Operation.CREATE: operation_contents.create,
    Operation.DELETE: _delete,
    Operation.OBSERVE: _observe,
    Operation.CANCEL_OBSERVE: _cancel_observe,
    Operation.READ_COMPOSITE: _read_composite,
    Operation.WRITE_COMPOSITE: operation_contents.write_composite,
    Operation.OBSERVE_COMPOSITE: _observe_composite,
    Operation.CANCEL_OBSERVE_COMPOSITE: _cancel_observe_composite,
}
COMPOSITE: Sequence[str] = (
    Operation.READ_COMPOSITE,
    Operation.WRITE_COMPOSITE,
    Operation.OBSERVE_COMPOSITE,
    Operation.CANCEL_OBSERVE_COMPOSITE,
)


def checked(ask: Ask) -> dict[str, Any]:
    """The arguments as the mailbox keeps them; raises Refused for what cannot be asked of a device."""
    rule = RULES.get(ask.operation)
    if rule is None:
        raise Refused("OPERATION_NOT_LISTED", field="operation", operation=ask.operation, known=list(RULES))
    return rule(ask)

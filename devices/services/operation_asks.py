"""An operation as it was asked for, and the questions that several rules put to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.errors import Refused
from devices.models import Device, Operation
from devices.selectors import device_models, ways
from lwm2m.errors import Lwm2mError
from lwm2m.object_links import HIDDEN_OBJECTS
from lwm2m.objects import Catalogue, ResourceModel
from lwm2m.paths import Path

_WORDS = ("an object", "an instance", "a resource", "a resource instance")


@dataclass(frozen=True, slots=True)
class Ask:
    """An operation as it was asked for; `version` is the device's LwM2M version, "" when it is not known."""

    operation: str
    path: Path
    paths: tuple[Path, ...]
    given: Mapping[str, Any]
    catalogue: Catalogue
    version: str
    force: bool

    def model(self, path: Path) -> ResourceModel | None:
        return None if self.force else self.catalogue.resource(path)


def refuse(detail: str, field: str) -> Refused:
    return Refused("VALIDATION_FAILED", detail, field)


def parse(text: Any, field: str = "path") -> Path:
    try:
        return Path.parse(text if isinstance(text, str) else "?")
    except Lwm2mError as error:
        raise refuse(error.detail, field) from None


def of(
    device: Device,
    operation: str,
    *,
    path: str = "",
    paths: Sequence[str] = (),
    arguments: Mapping[str, Any] | None = None,
) -> Ask:
    """What is asked of this device, read with the object models and the LwM2M version that it means."""
    detail = ways.fresh_detail(device)
    given = dict(arguments or {})
    force = given.pop("force", False)
    if not isinstance(force, bool):
        raise refuse("force is true or false.", "force")
    return Ask(
        operation=operation,
        path=parse(path or "/"),
        paths=tuple(parse(one, "paths") for one in paths),
        given=given,
        catalogue=device_models.catalogue(device, detail),
        version=detail.version if detail else "",
        force=force,
    )


def check_depth(ask: Ask, *allowed: int) -> None:
    if ask.path.depth not in allowed:
        words = " or ".join(_WORDS[depth - 1] for depth in allowed)
        raise refuse(f"{_named(ask)} works on {words}; {ask.path} is none.", "path")
    if ask.path.depth == 4 and ask.version == "1.0":
        raise refuse("The device speaks LwM2M 1.0, which has no operations on resource instances.", "path")


def _named(ask: Ask) -> str:
    return Operation(ask.operation).label


def may(ask: Ask, path: Path, letter: str) -> ResourceModel | None:
    """The model of the resource, if what `letter` stands for is allowed on it."""
    model = ask.model(path)
    if model is None or letter in model.operations or path.object_id in HIDDEN_OBJECTS:
        return model
    verbs = {"R": "read", "W": "written", "E": "executed"}
    can = " and ".join(verbs[one] for one in model.operations if one in verbs)
    raise refuse(
        f"{model.name} ({path}) cannot be {verbs[letter]}" + (f", only {can}." if can else "."), "path"
    )


def check_composite(ask: Ask) -> None:
    if ask.version == "1.0":
        raise refuse("The device speaks LwM2M 1.0; composite operations came with 1.1.", "operation")

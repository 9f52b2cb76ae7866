"""An operation as it was asked for, and the questions that several rules put to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.errors import Refused
from audit.catalogue.sentence import Either, Together
from devices.commands.models import Operation
from devices.inventory.models import Device
from devices.registry.selectors import device_models, ways
from lwm2m.errors import Lwm2mError
from lwm2m.object_links import HIDDEN_OBJECTS
from lwm2m.objects import Catalogue, ResourceModel
from lwm2m.paths import Path

_WORDS = (_("an object"), _("an instance"), _("a resource"), _("a resource instance"))
_VERBS = {
    "R": pgettext_lazy("what is done with a resource", "read"),
    "W": pgettext_lazy("what is done with a resource", "written"),
    "E": pgettext_lazy("what is done with a resource", "executed"),
}


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


def parse(text: Any, field: str = "path") -> Path:
    try:
        return Path.parse(text if isinstance(text, str) else "?")
    except Lwm2mError as error:
        raise Refused("PATH_MALFORMED", field=field, said=error.detail) from None


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
        raise Refused("FORCE_NO_BOOLEAN", field="force")
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
        words = Either(_WORDS[depth - 1] for depth in allowed)
        raise Refused("DEPTH_WRONG", field="path", operation=_named(ask), allowed=words, path=ask.path)
    if ask.path.depth == 4 and ask.version == "1.0":
        raise Refused("RESOURCE_INSTANCES_SINCE_1_1", field="path")


def _named(ask: Ask) -> str:
    return str(Operation(ask.operation).label)


def may(ask: Ask, path: Path, letter: str) -> ResourceModel | None:
    """The model of the resource, if what `letter` stands for is allowed on it."""
    model = ask.model(path)
    if model is None or letter in model.operations or path.object_id in HIDDEN_OBJECTS:
        return model
    verb = _VERBS[letter]
    can = Together(_VERBS[one] for one in model.operations if one in _VERBS)
    if can:
        raise Refused("CANNOT_BE_DONE_ONLY", field="path", resource=model.name, path=path, verb=verb, can=can)
    raise Refused("CANNOT_BE_DONE", field="path", resource=model.name, path=path, verb=verb)


def check_composite(ask: Ask) -> None:
    if ask.version == "1.0":
        raise Refused("COMPOSITE_SINCE_1_1", field="operation")

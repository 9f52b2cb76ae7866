"""The object tree of a device: what it announced, named by the models, with the latest value of each resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.manage import shown
from backoffice.manage.facts import Facts
from backoffice.manage.shown import Shown
from devices.commands.models import Command, CommandState, Operation
from devices.observations.models import Observation, ObservationState
from lwm2m.objects import ObjectModel, ResourceModel
from lwm2m.paths import Path

INSTANCES = 40
"""So many instances of one object are drawn; the others are reached by their path."""

_UNDER_WAY = {
    Operation.READ: (_("read waits"), _("reading …")),
    Operation.WRITE: (_("write waits"), _("writing …")),
    Operation.EXECUTE: (_("execute waits"), _("executing …")),
    Operation.OBSERVE: (_("observe waits"), _("starting to observe …")),
}


@dataclass(frozen=True, slots=True)
class Resource:
    """`parts` are the instances of a multiple resource; `waits` says what is under way for it."""

    path: str
    number: int
    name: str
    value: Shown | None
    parts: tuple[tuple[int, Shown], ...]
    can_read: bool
    can_write: bool
    can_execute: bool
    observed: str
    waits: str

    @property
    def is_untold(self) -> bool:
        """It could be read and there is nothing of it: perhaps the device does not have it."""
        told = self.value is not None and self.value.is_value
        return self.can_read and not (told or self.parts or self.observed or self.waits)

    @property
    def latest(self) -> Shown | None:
        """The value, or the newest of the parts, for the time that stands beside it."""
        if self.value or not self.parts:
            return self.value
        return max((part for _, part in self.parts), key=lambda part: part.at.timestamp() if part.at else 0)


@dataclass(frozen=True, slots=True)
class Instance:
    """`key` names its element on the page. `rest` are resources of the definition that the device never told of."""

    path: str
    key: str
    number: int
    resources: tuple[Resource, ...]
    rest: tuple[Resource, ...]
    observed: str
    waits: str


@dataclass(frozen=True, slots=True)
class Object:
    """`is_known` is false where no model is: its values stand there raw. `more` instances are not drawn."""

    path: str
    number: int
    name: str
    version: str
    is_known: bool
    instances: tuple[Instance, ...]
    more: int
    can_create: bool


@dataclass(frozen=True, slots=True)
class _Index:
    """What is looked up by path while the tree is built."""

    values: Mapping[Path, Mapping[int, Mapping[int | None, Shown]]]
    observed: Mapping[str, str]
    waits: Mapping[str, str]


def build(facts: Facts) -> list[Object]:
    """All announced objects in order; none while the device never registered."""
    if facts.links is None:
        return []
    index = _Index(_by_instance(facts), observed_words(facts.observations), _waiting(facts.open_commands))
    return [_object(facts, number, index) for number in sorted(facts.links.objects)]


def _object(facts: Facts, number: int, index: _Index) -> Object:
    link = facts.links.objects[number]
    model = facts.catalogue.objects.get(number)
    drawn = link.instances[:INSTANCES]
    return Object(
        path=f"/{number}",
        number=number,
        name=model.name if model else gettext("Unknown object"),
        version=link.version or (model.version if model else ""),
        is_known=model is not None,
        instances=tuple(_instance(Path(number, one), model, index) for one in drawn),
        more=len(link.instances) - len(drawn),
        can_create=model is None or model.multiple or not link.instances,
    )


def _instance(path: Path, model: ObjectModel | None, index: _Index) -> Instance:
    values = index.values.get(path, {})
    known = {number: one for number, one in model.resources.items() if one.operations} if model else {}
    resources = tuple(
        _resource(path.child(number), known.get(number), values.get(number, {}), index)
        for number in sorted({*known, *values})
    )
    text = str(path)
    rest = tuple(one for one in resources if one.is_untold) if values else ()
    return Instance(
        path=text,
        key="-".join(path.segments),
        number=path.instance_id or 0,
        resources=tuple(one for one in resources if one not in rest),
        rest=rest,
        observed=index.observed.get(text, ""),
        waits=index.waits.get(text, ""),
    )


def _resource(
    path: Path, model: ResourceModel | None, values: Mapping[int | None, Shown], index: _Index
) -> Resource:
    text = str(path)
    operations = model.operations if model else "RW"
    parts = tuple((number, value) for number, value in sorted(_instances(values)))
    return Resource(
        path=text,
        number=path.resource_id or 0,
        name=model.name if model else "",
        value=values.get(None),
        parts=parts,
        can_read="R" in operations,
        can_write="W" in operations,
        can_execute="E" in operations,
        observed=index.observed.get(text, ""),
        waits=index.waits.get(text, ""),
    )


def _instances(values: Mapping[int | None, Shown]) -> Iterator[tuple[int, Shown]]:
    return ((number, value) for number, value in values.items() if number is not None and value.is_value)


def _by_instance(facts: Facts) -> dict[Path, dict[int, dict[int | None, Shown]]]:
    found: dict[Path, dict[int, dict[int | None, Shown]]] = {}
    for row in facts.values:
        path = Path.parse(row.path)
        if path.resource_id is None:
            continue
        value = shown.of_row(row, facts.catalogue.resource(path))
        here = found.setdefault(Path(*path.ids[:2]), {}).setdefault(path.resource_id, {})
        here[path.resource_instance_id] = value
    return found


def observed_words(observations: list[Observation]) -> dict[str, str]:
    """Path -> how its observation stands, in a word or two."""
    words = {
        ObservationState.ACTIVE: gettext("observed"),
        ObservationState.WANTED: gettext("will be observed"),
        ObservationState.REFUSED: gettext("observing refused"),
    }
    return {
        path: words[ObservationState(one.state)]
        for one in observations
        if one.state in words
        for path in one.paths
    }


def _waiting(commands: list[Command]) -> dict[str, str]:
    """Path -> what is asked there and not answered yet; what is on the air before what waits."""
    return {one.path: _under_way(one) for one in reversed(commands)}


def _under_way(command: Command) -> str:
    waits, runs = _UNDER_WAY.get(command.operation, (f"{command.operation} waits", f"{command.operation} …"))
    return runs if command.state == CommandState.SENT else waits

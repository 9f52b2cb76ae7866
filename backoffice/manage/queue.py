"""The commands of a device as people read them: what was asked, by whom, how far it is, what came back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from audit import people
from audit.causes import CAUSES, Cause
from backoffice import requesters
from backoffice.manage import shown
from backoffice.manage.facts import Facts
from backoffice.manage.shown import Shown
from devices.commands.models import COMMAND_ENDED, Command, CommandState
from devices.inventory import secrecy
from lwm2m.errors import Lwm2mError
from lwm2m.objects import Catalogue
from lwm2m.paths import ROOT, Path

_SHAPES = {
    CommandState.QUEUED: "◷",
    CommandState.SENT: "→",
    CommandState.DONE: "✓",
    CommandState.REFUSED: "✕",
    CommandState.SILENT: "…",
    CommandState.EXPIRED: "!",  # an hourglass is missing in many fonts
    CommandState.CANCELLED: "–",
}
LINES = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One value of an answer."""

    path: str
    name: str
    value: Shown


@dataclass(frozen=True, slots=True)
class Told:
    """`asked` is what was sent along in words; `cause` is set where something went wrong, with its way out."""

    command: Command
    name: str
    shape: str
    by: str
    asked: str
    lines: tuple[Line, ...]
    note: str
    cause: Cause | None
    is_open: bool

    @property
    def at(self) -> datetime:
        return self.command.ended_at or self.command.sent_at or self.command.created_at


def of(facts: Facts) -> tuple[list[Told], list[Told]]:
    """Those under way or waiting, in the order in which they leave; and the last that ended, newest first."""
    names = people.names(one.requested_by for one in [*facts.open_commands, *facts.ended_commands])
    return (
        [_told(one, facts.catalogue, names) for one in facts.open_commands],
        [_told(one, facts.catalogue, names) for one in facts.ended_commands],
    )


def _told(command: Command, catalogue: Catalogue, names: Mapping[str, str]) -> Told:
    path = _path(command.path)
    answer = secrecy.masked(command.answer, path, catalogue)
    lines = tuple(_lines(answer, catalogue))
    return Told(
        command=command,
        name=catalogue.name(path),
        shape=_SHAPES[CommandState(command.state)],
        by=requesters.words(command.requested_by, names),
        asked=_asked(secrecy.masked(command.arguments, path, catalogue), path, catalogue),
        lines=lines,
        note="" if lines else _note(answer),
        cause=CAUSES.get(command.cause),
        is_open=command.state not in COMMAND_ENDED,
    )


def _path(text: str) -> Path:
    try:
        return Path.parse(text)
    except Lwm2mError:
        return ROOT


def _lines(answer: Any, catalogue: Catalogue) -> Iterable[Line]:
    nodes = answer.get("nodes", ()) if isinstance(answer, Mapping) else ()
    for node in nodes[:LINES]:
        path = _path(str(node.get("path", "")))
        model = catalogue.resource(path)
        name = model.name if model else ""
        yield Line(str(node.get("path", "")), name, shown.of(node.get("value"), model))


def _note(answer: Any) -> str:
    """What an answer without values says."""
    if not isinstance(answer, Mapping):
        return ""
    if "location" in answer:
        return gettext("Created %(answer)s") % {"answer": answer["location"]}
    if "links" in answer:
        links = answer["links"]
        return links.replace(",<", "\n<") if isinstance(links, str) else json.dumps(links, indent=1)
    if "raw" in answer:
        return f"{answer.get('problem', '')} {shown.of(answer['raw'], None).text}".strip()
    return ""


def _asked(arguments: Any, path: Path, catalogue: Catalogue) -> str:
    """The value or the attributes that go along, in a few words."""
    if not isinstance(arguments, Mapping):
        return ""
    if "value" in arguments:
        return _value(arguments["value"], catalogue, path)
    if isinstance(values := arguments.get("values"), Mapping):
        return ", ".join(f"{name} = {_value(one, catalogue, _path(name))}" for name, one in values.items())
    if isinstance(attributes := arguments.get("attributes"), Mapping):
        return ", ".join(name if one is None else f"{name}={one}" for name, one in attributes.items())
    return str(arguments.get("arguments", ""))


def _value(value: Any, catalogue: Catalogue, path: Path) -> str:
    one = shown.of(value, catalogue.resource(path))
    return f"{one.text} {one.unit}".strip()

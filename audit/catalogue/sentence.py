"""What a refusal says to a person: a template of one cause with named facts, put together when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Choices
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Sentence:
    """`cause` is a code of `audit.causes`; `text` a lazy translation whose facts are written `%(name)s` or `%(name)r`.

    A text of `ngettext_lazy` names the fact that decides its form.
    """

    cause: str
    text: Promise

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts that the text wants, in whichever form."""
        wanted: set[str] = set()
        for number in (1, 2):
            one = _Asked(number)
            str(self.text % one)
            wanted |= one.names
        return frozenset(wanted)

    def say(self, facts: Mapping[str, object]) -> str:
        """The sentence in the reader's language; numbers and times as the reader writes them. Raises KeyError."""
        return str(self.text % {name: shown(value) for name, value in facts.items()})


class Either(tuple[object, ...]):
    """A fact of several words of which one holds: "an object or an instance"."""


class Together(tuple[object, ...]):
    """A fact of several words that all hold: "read and written"."""


class _Asked(dict[str, Any]):
    """Notes what a template asks for."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.names: set[str] = set()

    def __missing__(self, name: str) -> int:
        self.names.add(name)
        return self.number


class _Number(int):
    """Counts like a number, for the plural, and is written as the reader writes numbers."""

    def __str__(self) -> str:
        return formats.number_format(int(self))


def shown(value: object) -> object:
    """A fact as the active language and time zone write it."""
    match value:
        case Choices():
            return str(value.label).lower()
        case bool() | str():
            return value
        case int():
            return _Number(value)
        case float():
            return formats.number_format(value)
        case datetime():
            local = timezone.localtime(value) if timezone.is_aware(value) else value
            return formats.date_format(local, "DATETIME_FORMAT")
        case date():
            return formats.date_format(value, "DATE_FORMAT")
        case Either():
            return _joined(value, _("%(one)s or %(other)s"))
        case Together():
            return _joined(value, _("%(one)s and %(other)s"))
        case list() | tuple() | frozenset() | set():
            return ", ".join(str(shown(one)) for one in value)
        case _:
            return str(value)


def _joined(words: tuple[object, ...], pattern: str) -> str:
    first, *more = (str(shown(word)) for word in words)
    for word in more:
        first = pattern % {"one": first, "other": word}
    return first

"""A refusal that a person can mend."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone, translation

from audit import refusals


class Refused(Exception):
    """`name` is one of `audit.refusals`, which knows its cause and its sentence; `facts` are what the sentence wants.

    `field` names the input it is about. The words are made when somebody reads them, in that reader's language.
    """

    def __init__(self, name: str, /, *, field: str | None = None, **facts: object) -> None:
        super().__init__(name)
        self.name = name
        self.sentence = refusals.get(name)
        self.field = field
        self.facts = facts

    @property
    def cause(self) -> str:
        """A code of `audit.causes`."""
        return self.sentence.cause

    @property
    def detail(self) -> str:
        """What to do, for whoever reads it now."""
        return self.sentence.say(self.facts)

    @property
    def recorded(self) -> str:
        """The same for a row that many will read: in the portal's own language and time zone."""
        with translation.override(settings.LANGUAGE_CODE), timezone.override(None):
            return self.detail

    def __str__(self) -> str:
        return self.detail

"""The questions that many ask about commands, each in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

if TYPE_CHECKING:
    pass

_OPEN = ("queued", "sent")


class CommandQuerySet(QuerySet["Command"]):
    def open(self) -> CommandQuerySet:
        """Those that wait or are on their way."""
        return self.filter(state__in=_OPEN)

    def ended(self) -> CommandQuerySet:
        return self.exclude(state__in=_OPEN)

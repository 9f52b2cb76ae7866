"""The questions that many ask about SMS, each in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

if TYPE_CHECKING:
    pass

_OPEN = ("queued", "submitting")


class SmsMessageQuerySet(QuerySet["SmsMessage"]):
    def open(self) -> SmsMessageQuerySet:
        """Those that must still go out."""
        return self.filter(state__in=_OPEN)

    def ended(self) -> SmsMessageQuerySet:
        return self.exclude(state__in=_OPEN)

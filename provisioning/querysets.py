"""The questions that many ask about jobs, each in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

if TYPE_CHECKING:
    pass


class JobQuerySet(QuerySet["Job"]):
    def open(self) -> JobQuerySet:
        """Those that run or wait."""
        return self.filter(state__in=("running", "waiting"))

"""How far the walks over large tables are."""

from __future__ import annotations

from django.db import models


class TidyingCursor(models.Model):
    """Where a walk over a large table goes on in its next run."""

    name = models.CharField(max_length=40, primary_key=True)
    last_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} after {self.last_id}"

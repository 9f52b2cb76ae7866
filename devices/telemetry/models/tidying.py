"""How far the walks over large tables are."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class TidyingCursor(models.Model):
    """Where a walk over a large table goes on in its next run."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    last_id = models.BigIntegerField(_("last id"), default=0)

    class Meta:
        verbose_name = _("tidying cursor")
        verbose_name_plural = _("tidying cursors")

    def __str__(self) -> str:
        return f"{self.name} after {self.last_id}"

"""Reports that came before it was known whose they are."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ParkedReport(models.Model):
    """What a gateway sent for a prefix that nobody knows yet: kept until its /25 was read, then stored or dropped."""

    gateway = models.ForeignKey(
        "inventory.Device", on_delete=models.CASCADE, related_name="parked_reports", verbose_name=_("gateway")
    )
    prefix = models.CharField(_("prefix"), max_length=64)
    nodes = models.JSONField(_("nodes"), help_text=_("values with path, value and absolute time"))
    received_at = models.DateTimeField(_("received at"), default=timezone.now)

    class Meta:
        verbose_name = _("parked report")
        verbose_name_plural = _("parked reports")
        indexes = [models.Index(fields=["gateway", "prefix"], name="parked_report")]

    def __str__(self) -> str:
        return f"{self.prefix}: {len(self.nodes)} values"

"""Protocol messages as they travelled.

Hot tables: narrow, no index on what a new value changes (so that PostgreSQL updates in place), and written in bulk by
`devices.telemetry.services.traces`, never through model instances.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

TRACE_LIMIT = 200


class Direction(models.TextChoices):
    IN = "in", _("From the device")
    OUT = "out", _("To the device")


class TraceHead(models.Model):
    """How many messages of a device were ever traced: the next one's place in its ring."""

    device = models.OneToOneField(
        "inventory.Device",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="trace_head",
        verbose_name=_("device"),
    )
    count = models.BigIntegerField(_("count"))

    class Meta:
        verbose_name = _("trace head")
        verbose_name_plural = _("trace heads")

    def __str__(self) -> str:
        return str(self.count)


class TraceMessage(models.Model):
    """One protocol message; message n of a device stands in slot n mod `TRACE_LIMIT` and is overwritten there.

    A response repeats method and path of its request, so that each row can be read alone.
    """

    pk = models.CompositePrimaryKey("device", "slot")
    device = models.ForeignKey(
        "inventory.Device", on_delete=models.CASCADE, related_name="trace", verbose_name=_("device")
    )
    slot = models.SmallIntegerField(_("slot"))
    number = models.BigIntegerField(_("number"))
    at = models.DateTimeField(_("at"))
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices)
    method = models.CharField(_("method"), max_length=8)
    path = models.CharField(_("path"), max_length=400)
    code = models.CharField(_("code"), max_length=5, blank=True, help_text=_("of a response, such as 2.05"))
    content_format = models.IntegerField(_("content format"), null=True)
    payload = models.JSONField(_("payload"), null=True)
    payload_bytes = models.IntegerField(_("payload bytes"), default=0)
    duration_ms = models.FloatField(_("duration ms"), null=True)

    class Meta:
        verbose_name = _("trace message")
        verbose_name_plural = _("trace messages")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.direction} {self.method} {self.path} {self.code}"

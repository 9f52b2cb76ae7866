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
        "inventory.Device", on_delete=models.CASCADE, primary_key=True, related_name="trace_head"
    )
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.count)


class TraceMessage(models.Model):
    """One protocol message; message n of a device stands in slot n mod `TRACE_LIMIT` and is overwritten there.

    A response repeats method and path of its request, so that each row can be read alone.
    """

    pk = models.CompositePrimaryKey("device", "slot")
    device = models.ForeignKey("inventory.Device", on_delete=models.CASCADE, related_name="trace")
    slot = models.SmallIntegerField()
    number = models.BigIntegerField()
    at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction.choices)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=400)
    code = models.CharField(max_length=5, blank=True, help_text=_("of a response, such as 2.05"))
    content_format = models.IntegerField(null=True)
    payload = models.JSONField(null=True)
    payload_bytes = models.IntegerField(default=0)
    duration_ms = models.FloatField(null=True)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.direction} {self.method} {self.path} {self.code}"

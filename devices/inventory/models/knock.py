"""Who knocked at the door and was not let in."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator
from devices.inventory.models.credential import Plane
from devices.inventory.models.device import Device


class Knock(models.Model):
    """Refusals from the air that somebody could act on, counted: the waiting room.

    One row per (plane, cause, who knocked, from where), bounded in number, so that a flood grows a counter
    and not a table. `device` and `operator` are set when the knock can be tied to a known device.
    """

    plane = models.CharField(_("plane"), max_length=12, choices=Plane.choices)
    cause = models.CharField(_("cause"), max_length=40)
    claimed_name = models.CharField(
        _("claimed name"), max_length=255, blank=True, help_text=_("endpoint or PSK identity as sent")
    )
    host = models.CharField(_("host"), max_length=45)
    device = models.ForeignKey(
        Device,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="knocks",
        verbose_name=_("device"),
    )
    operator = models.ForeignKey(
        Operator,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="knocks",
        verbose_name=_("operator"),
    )
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    count = models.PositiveBigIntegerField(_("count"), default=1)
    first_at = models.DateTimeField(_("first at"), default=timezone.now)
    last_at = models.DateTimeField(_("last at"), default=timezone.now)

    class Meta:
        verbose_name = _("knock")
        verbose_name_plural = _("knocks")
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["plane", "cause", "claimed_name", "host"], name="knock_counted_once"
            )
        ]
        indexes = [models.Index(fields=["claimed_name"], name="knock_name")]

    def __str__(self) -> str:
        return f"{self.claimed_name or self.host}: {self.cause} × {self.count}"

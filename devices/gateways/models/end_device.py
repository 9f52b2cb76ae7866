"""Devices without a WAN interface: what M2M gateways tell of the end devices behind them (object 25).

An end device that belongs to somebody is a `Device` of its own, with its own values, commands, jobs and trail; only the
way to it leads through its gateway. See docs/decisions/gateways.md.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class EndDevice(models.Model):
    """One end device as a gateway tells of it: an instance of /25.

    `identifier` is /25/x/0, `prefix` /25/x/1 (the alternate path of every operation), `object_links` /25/x/3 as
    `lwm2m.links.ObjectLinks` writes it. Without `device` it was found and not yet taken. `gone_at`: the gateway tells
    of it no more; the row stays, so that a device that comes back or moves keeps its history. `read_at`: when what
    stands here was told, again perhaps by each whole reading since (`Device.end_devices_read_at` of the gateway).
    """

    gateway = models.ForeignKey(
        "inventory.Device", on_delete=models.CASCADE, related_name="end_devices", verbose_name=_("gateway")
    )
    device = models.OneToOneField(
        "inventory.Device",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="end_device",
        verbose_name=_("device"),
    )
    instance = models.PositiveIntegerField(_("instance"), help_text=_("x of /25/x"))
    identifier = models.CharField(_("identifier"), max_length=255)
    prefix = models.CharField(_("prefix"), max_length=64)
    object_links = models.JSONField(_("object links"), default=dict, blank=True)
    is_dismissed = models.BooleanField(
        _("is dismissed"), default=False, help_text=_("The subscriber does not want it.")
    )
    found_at = models.DateTimeField(_("found at"), default=timezone.now)
    read_at = models.DateTimeField(_("read at"), default=timezone.now)
    last_heard_at = models.DateTimeField(_("last heard at"), null=True, blank=True)
    gone_at = models.DateTimeField(_("gone at"), null=True, blank=True)
    gone_cause = models.CharField(_("gone cause"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("end device")
        verbose_name_plural = _("end devices")
        ordering = ["gateway", "instance"]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "identifier"], name="end_device_once_per_gateway"),
            models.UniqueConstraint(
                fields=["gateway", "prefix"], condition=Q(gone_at=None), name="prefix_once_per_gateway"
            ),
        ]
        indexes = [models.Index(fields=["identifier"], name="end_device_identifier")]

    def __str__(self) -> str:
        return f"{self.prefix}: {self.identifier}"

"""How a device is registered: its live registration, or its last one, and what it said of itself then.

The registration row is the hot one: it is narrow, and nothing that a refresh changes has an index, so that
PostgreSQL updates it in place (HOT). What a refresh never touches stands in `RegistrationDetail`.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import scoping
from devices.inventory.states import Access


class Transport(models.TextChoices):
    UDP = "udp", "UDP"
    DTLS = "dtls", "DTLS"
    TCP = "tcp", "TCP"
    TLS = "tls", "TLS"
    SMS = "sms", "SMS"


class RegistrationQuerySet(QuerySet["Registration"]):
    def live(self) -> RegistrationQuerySet:
        """Those that have not ended; of one whose lifetime is over, `registrations.expire` says so."""
        return self.filter(is_live=True)

    def visible_to(self, user: Any) -> RegistrationQuerySet:
        """Live ones, and the last one of a device that is not registered any more; none of retired devices."""
        rows = self.exclude(device__access=Access.RETIRED)
        return scoping.visible(
            rows, user, operator_path="device__operator", subscriber_path="device__subscriber"
        )


class Registration(models.Model):
    """The live registration of a device, or its last one (`is_live` false). Hot: see the module's docstring.

    Times are UTC. `expires_at` null means an infinite lifetime. `flow` names the channel of the southbound
    process that holds the socket or DTLS session the device was last heard on.
    """

    device = models.OneToOneField(
        "inventory.Device",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="registration",
        verbose_name=_("device"),
    )
    registration_id = models.CharField(_("registration id"), max_length=10, unique=True)
    is_live = models.BooleanField(_("is live"), default=True)
    transport = models.CharField(_("transport"), max_length=4, choices=Transport.choices)
    identity = models.CharField(_("identity"), max_length=128, blank=True)
    host = models.CharField(_("host"), max_length=45)
    port = models.IntegerField(_("port"))
    flow = models.CharField(_("flow"), max_length=80)
    lifetime_seconds = models.BigIntegerField(_("lifetime seconds"))
    queue_mode = models.BooleanField(_("queue mode"), default=False)
    registered_at = models.DateTimeField(_("registered at"))
    last_seen_at = models.DateTimeField(_("last seen at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    register_digest = models.BigIntegerField(_("register digest"), null=True, editable=False)
    """Of the Register message as it came, with its id: any process tells its repetition by it."""

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        # What a notification is known by. A refresh changes none of these, so it stays within its page (HOT).
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        indexes = [
            models.Index(fields=["host", "port"], name="registration_address"),
            models.Index(fields=["identity"], name="registration_identity"),
        ]

    def __str__(self) -> str:
        return f"/rd/{self.registration_id}"


class RegistrationDetail(models.Model):
    """What a device said at Register and a refresh never repeats.

    For a device behind a gateway, which never registers, its gateway says what objects it has, and nothing else.
    """

    device = models.OneToOneField(
        "inventory.Device",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="registration_detail",
        verbose_name=_("device"),
    )
    version = models.CharField(_("version"), max_length=8)
    binding = models.CharField(_("binding"), max_length=8)
    sms_number = models.CharField(_("sms number"), max_length=20, blank=True)
    object_links = models.JSONField(_("object links"), default=dict)
    attributes = models.JSONField(_("attributes"), default=list)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_cause = models.CharField(_("end cause"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("registration detail")
        verbose_name_plural = _("registration details")

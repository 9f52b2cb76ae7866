"""How a device is registered: its live registration, or its last one, and what it said of itself then.

The registration row is the hot one: it is narrow, and nothing that a refresh changes has an index, so that
PostgreSQL updates it in place (HOT). What a refresh never touches stands in `RegistrationDetail`.
"""

from __future__ import annotations

from django.db import models

from devices.registry.querysets import RegistrationQuerySet


class Transport(models.TextChoices):
    UDP = "udp", "UDP"
    DTLS = "dtls", "DTLS"
    TCP = "tcp", "TCP"
    TLS = "tls", "TLS"
    SMS = "sms", "SMS"


class Registration(models.Model):
    """The live registration of a device, or its last one (`is_live` false). Hot: see the module's docstring.

    Times are UTC. `expires_at` null means an infinite lifetime. `flow` names the channel of the southbound
    process that holds the socket or DTLS session the device was last heard on.
    """

    device = models.OneToOneField(
        "inventory.Device", on_delete=models.CASCADE, primary_key=True, related_name="registration"
    )
    registration_id = models.CharField(max_length=10, unique=True)
    is_live = models.BooleanField(default=True)
    transport = models.CharField(max_length=4, choices=Transport.choices)
    identity = models.CharField(max_length=128, blank=True)
    host = models.CharField(max_length=45)
    port = models.IntegerField()
    flow = models.CharField(max_length=80)
    lifetime_seconds = models.BigIntegerField()
    queue_mode = models.BooleanField(default=False)
    registered_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    register_digest = models.BigIntegerField(null=True, editable=False)
    """Of the Register message as it came, with its id: any process tells its repetition by it."""

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        # What a notification is known by. A refresh changes none of these, so it stays within its page (HOT).
        indexes = [
            models.Index(fields=["host", "port"], name="registration_address"),
            models.Index(fields=["identity"], name="registration_identity"),
        ]

    def __str__(self) -> str:
        return f"/rd/{self.registration_id}"


class RegistrationDetail(models.Model):
    """What a device said at Register and a refresh never repeats."""

    device = models.OneToOneField(
        "inventory.Device", on_delete=models.CASCADE, primary_key=True, related_name="registration_detail"
    )
    version = models.CharField(max_length=8)
    binding = models.CharField(max_length=8)
    sms_number = models.CharField(max_length=20, blank=True)
    object_links = models.JSONField(default=dict)
    attributes = models.JSONField(default=list)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_cause = models.CharField(max_length=40, blank=True)

"""Devices by SMS: an operator's link to its SMSC, what goes out and what came in, and what it may cost.

The rows are the truth: what was acknowledged to the SMSC stands in `SmsPart`, what must still go out in `SmsMessage`;
the SMPP link is held by one southbound process at a time (`held_by`, `lease_until`). See docs/decisions/sms.md.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator

DEFAULT_DAILY_MESSAGES = 100


class LinkState(models.TextChoices):
    """What the process that holds the link says of it."""

    DOWN = "down", _("Not connected")
    BINDING = "binding", _("Connecting")
    BOUND = "bound", _("Connected")
    REFUSED = "refused", _("The SMSC refused the bind")


class Addressing(models.TextChoices):
    """How the application ports of CoAP travel: in the user data header, or in SMPP's own parameters."""

    UDH = "udh", _("User data header (3GPP TS 23.040, 9.2.3.24.4)")
    TLV = "tlv", _("Optional parameters source_port and destination_port")


class SmscLink(models.Model):
    """One SMPP 3.4 transceiver to an operator's SMSC. The password is encrypted, write-only, never logged."""

    operator = models.OneToOneField(
        Operator,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="smsc_link",
        verbose_name=_("operator"),
    )
    host = models.CharField(_("host"), max_length=255)
    port = models.PositiveIntegerField(
        _("port"), default=2775, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    use_tls = models.BooleanField(_("use tls"), default=False)
    system_id = models.CharField(_("system id"), max_length=15)
    sealed_password = models.TextField(_("sealed password"), editable=False, blank=True)
    system_type = models.CharField(_("system type"), max_length=12, blank=True)
    address = models.CharField(
        _("address"),
        max_length=20,
        help_text=_("Our own number: +49123456, a short code such as 2772, or a name."),
    )
    addressing = models.CharField(
        _("addressing"), max_length=3, choices=Addressing.choices, default=Addressing.UDH
    )
    window = models.PositiveSmallIntegerField(
        _("window"), default=10, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    messages_per_second = models.PositiveSmallIntegerField(
        _("messages per second"), default=20, validators=[MinValueValidator(1), MaxValueValidator(10000)]
    )
    daily_messages = models.PositiveIntegerField(
        _("daily messages"),
        default=DEFAULT_DAILY_MESSAGES,
        help_text=_("Cost cap: SMS that may be sent to one device in a day (UTC)."),
    )
    wants_receipts = models.BooleanField(_("wants receipts"), default=True)
    receipt_spelling = models.CharField(
        _("receipt spelling"),
        max_length=11,
        blank=True,
        editable=False,
        help_text=_("How the SMSC writes ids in receipts, once it has shown it."),
    )
    is_enabled = models.BooleanField(_("is enabled"), default=True)
    # Written by the process that holds the link.
    state = models.CharField(_("state"), max_length=8, choices=LinkState.choices, default=LinkState.DOWN)
    state_at = models.DateTimeField(_("state at"), default=timezone.now)
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    held_by = models.CharField(_("held by"), max_length=80, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)

    class Meta:
        verbose_name = _("SMSC link")
        verbose_name_plural = _("SMSC links")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

"""SMS on their way, in both directions, and what was spent on them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator


class SmsPurpose(models.TextChoices):
    """A request is dropped when the process that sent it ends (its command is sent anew); the others are kept."""

    REQUEST = "request", _("Request to a device")
    RESPONSE = "response", _("Answer to a device")
    TRIGGER = "trigger", _("Trigger")


class SmsState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    SUBMITTING = "submitting", _("Given to the SMSC, not yet acknowledged")
    SENT = "sent", _("Taken by the SMSC")
    DELIVERED = "delivered", _("Delivered")
    UNDELIVERED = "undelivered", _("Not delivered")
    REFUSED = "refused", _("Refused by the SMSC")
    EXPIRED = "expired", _("Expired before it was sent")
    DROPPED = "dropped", _("Not sent")


SMS_OPEN = (SmsState.QUEUED, SmsState.SUBMITTING)


_OPEN = ("queued", "submitting")


class SmsMessageQuerySet(QuerySet["SmsMessage"]):
    def open(self) -> SmsMessageQuerySet:
        """Those that must still go out."""
        return self.filter(state__in=_OPEN)

    def ended(self) -> SmsMessageQuerySet:
        return self.exclude(state__in=_OPEN)


class SmsMessage(models.Model):
    """One CoAP message to a device: one SMS or several parts. `parts_sent` of `parts` are with the SMSC."""

    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, related_name="sms_messages", verbose_name=_("operator")
    )
    device = models.ForeignKey(
        "inventory.Device",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sms_messages",
        verbose_name=_("device"),
    )
    msisdn = models.CharField(_("msisdn"), max_length=16)
    purpose = models.CharField(_("purpose"), max_length=8, choices=SmsPurpose.choices)
    payload = models.BinaryField(_("payload"))
    parts = models.PositiveSmallIntegerField(_("parts"), default=1)
    parts_sent = models.PositiveSmallIntegerField(_("parts sent"), default=0)
    reference = models.PositiveSmallIntegerField(
        _("reference"), default=0, help_text=_("concatenation reference, 0 to 65535")
    )
    message_ids = models.JSONField(
        _("message ids"), default=list, blank=True, help_text=_("one of the SMSC for each part sent")
    )
    state = models.CharField(_("state"), max_length=11, choices=SmsState.choices, default=SmsState.QUEUED)
    flow = models.CharField(_("flow"), max_length=80, blank=True, help_text=_("the process that made it"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    answered_at = models.DateTimeField(
        _("answered at"), null=True, blank=True, help_text=_("of a trigger: the device was heard")
    )
    answer = models.CharField(
        _("answer"), max_length=40, blank=True, help_text=_("how: by SMS with a code, or by an update")
    )
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)

    objects = SmsMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("SMS message")
        verbose_name_plural = _("SMS messages")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["operator", "next_attempt_at"],
                condition=Q(state__in=["queued", "submitting"]),
                name="sms_to_send",
            ),
            models.Index(
                fields=["operator", "msisdn"],
                condition=Q(purpose="trigger", answered_at=None),
                name="sms_trigger_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} to {self.msisdn}"


class SmsReceiptKey(models.Model):
    """Which message a delivery receipt speaks of: the SMSC names it by the id it gave for one part.

    `smsc_id` is as `smpp.receipts.canonical` writes it. A settled key stays for a day: what it stood for is told
    again, and must not be taken for another message.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, related_name="+", verbose_name=_("operator")
    )
    smsc_id = models.CharField(_("smsc id"), max_length=65)
    message = models.ForeignKey(
        SmsMessage, on_delete=models.CASCADE, related_name="receipt_keys", verbose_name=_("message")
    )
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sms receipt key")
        verbose_name_plural = _("sms receipt keys")
        indexes = [models.Index(fields=["operator", "smsc_id"], name="sms_receipt")]

    def __str__(self) -> str:
        return self.smsc_id


class SmsPart(models.Model):
    """One SMS from the SMSC, stored before it is acknowledged; `handled_at` null: its message is not yet worked off.

    The same part told twice is one row: the SMSC repeats what it got no acknowledgement for.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, related_name="sms_parts", verbose_name=_("operator")
    )
    msisdn = models.CharField(_("msisdn"), max_length=20)
    reference = models.CharField(
        _("reference"),
        max_length=80,
        help_text=_("what makes the part the same: concatenation reference, number and digest"),
    )
    concat = models.IntegerField(
        _("concat"), null=True, help_text=_("concatenation reference; null: a whole message")
    )
    joined = models.BigIntegerField(
        _("joined"), null=True, help_text=_("the same for all parts of a message that is whole")
    )
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    total = models.PositiveSmallIntegerField(_("total"), default=1)
    payload = models.BinaryField(_("payload"))
    received_at = models.DateTimeField(_("received at"))
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("SMS part")
        verbose_name_plural = _("SMS parts")
        indexes = [
            models.Index(
                fields=["operator", "msisdn", "id"], condition=Q(handled_at=None), name="sms_part_unhandled"
            ),
            models.Index(fields=["operator", "msisdn", "reference"], name="sms_part_same"),
        ]

    def __str__(self) -> str:
        return f"{self.msisdn} {self.number}/{self.total}"


class SmsSpent(models.Model):
    """How many SMS went to a device on one day (UTC)."""

    device = models.ForeignKey(
        "inventory.Device", on_delete=models.CASCADE, related_name="sms_spent", verbose_name=_("device")
    )
    day = models.DateField(_("day"))
    count = models.PositiveIntegerField(_("count"), default=0)
    is_told = models.BooleanField(
        _("is told"), default=False, help_text=_("The trail says that the day's number is spent.")
    )

    class Meta:
        verbose_name = _("sms spent")
        verbose_name_plural = _("sms spents")
        constraints = [models.UniqueConstraint(fields=["device", "day"], name="sms_spent_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"

"""Reachability: an operator's policy, and one attempt to reach a device that missed its contact.

Nothing here is asked on the way of a message: attempts are opened, climbed and ended beside it. See
docs/decisions/reachability.md.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator
from devices.inventory.models import Device


class ReachPolicy(models.Model):
    """What is done for the devices of an operator that miss their contact. Spans are seconds.

    `waits` names the rungs that are taken (`provisioning.rungs`), each with how long it is given before the next.
    The bucket of `sms_tokens` spreads SMS over time, whatever number of devices is lost at once.
    """

    operator = models.OneToOneField(
        Operator,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="reach_policy",
        verbose_name=_("operator"),
    )
    is_enabled = models.BooleanField(_("is enabled"), default=True)
    waits = models.JSONField(_("waits"), default=dict, blank=True)
    early_seconds = models.PositiveIntegerField(
        _("early seconds"),
        default=60,
        validators=[MaxValueValidator(3600)],
        help_text=_(
            "A contact counts as missed this long before the lifetime ends, at most a tenth of it: while the "
            "registration stands, the device can be asked over it."
        ),
    )
    sms_per_day = models.PositiveSmallIntegerField(
        _("sms per day"),
        default=3,
        help_text=_("SMS that may be spent on waking one device within 24 hours."),
    )
    sms_per_minute = models.PositiveIntegerField(
        _("sms per minute"),
        default=60,
        help_text=_("SMS a minute for all devices of the operator that are lost."),
    )
    sms_tokens = models.FloatField(_("sms tokens"), default=0, editable=False)
    sms_tokens_at = models.DateTimeField(_("sms tokens at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("reach policy")
        verbose_name_plural = _("reach policies")

    def __str__(self) -> str:
        return f"Reachability of {self.operator}"


class AttemptState(models.TextChoices):
    OPEN = "open", _("Being looked for")
    REACHED = "reached", _("Reached")
    EXHAUSTED = "exhausted", _("Not reached")
    CANCELLED = "cancelled", _("Given up")


class ReachAttempt(models.Model):
    """One silence of one device and what was done about it.

    `plan` is the policy as it was: [kind, wait] in order; `position` is the next of them, due at `next_at`. `taken`
    holds {kind, at, skipped, detail} of those before. An attempt that only waited and came to nothing is deleted.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, related_name="reach_attempts", verbose_name=_("operator")
    )
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, related_name="reach_attempts", verbose_name=_("device")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=AttemptState.choices, default=AttemptState.OPEN
    )
    missed_at = models.DateTimeField(_("missed at"), help_text=_("When the device should have called."))
    silent_since = models.DateTimeField(_("silent since"), help_text=_("When it was last heard."))
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now)
    plan = models.JSONField(_("plan"), default=list)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    next_at = models.DateTimeField(_("next at"), null=True, blank=True)
    next_costs_sms = models.BooleanField(_("next costs sms"), default=False)
    taken = models.JSONField(_("taken"), default=list, blank=True)
    has_acted = models.BooleanField(_("has acted"), default=False, help_text=_("More than waiting was done."))
    is_handed_over = models.BooleanField(
        _("is handed over"), default=False, help_text=_("The support desk has it, until it is heard.")
    )
    sms_count = models.PositiveSmallIntegerField(_("sms count"), default=0)
    reached_by = models.CharField(
        _("reached by"), max_length=30, blank=True, help_text=_("the rung before the device called")
    )
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reach attempt")
        verbose_name_plural = _("reach attempts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(state="open"), name="one_open_reach_attempt_per_device"
            )
        ]
        indexes = [
            models.Index(
                fields=["operator", "next_costs_sms", "next_at"],
                condition=Q(state="open"),
                name="reach_attempt_due",
            ),
            models.Index(fields=["device", "-id"], name="reach_attempt_device"),
            models.Index(
                fields=["operator", "-id"], condition=Q(is_handed_over=True), name="reach_attempt_handed_over"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} #{self.pk}"

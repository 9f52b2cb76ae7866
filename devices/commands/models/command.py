"""The rows of the mailbox: operations for devices, how far they are, and how they ended."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Operation(models.TextChoices):
    READ = "read", _("Read")
    DISCOVER = "discover", _("Discover")
    WRITE = "write", _("Write")
    WRITE_ATTRIBUTES = "write-attributes", "Write-Attributes"
    EXECUTE = "execute", _("Execute")
    CREATE = "create", _("Create")
    DELETE = "delete", _("Delete")
    OBSERVE = "observe", _("Observe")
    CANCEL_OBSERVE = "cancel-observe", _("Cancel observation")
    READ_COMPOSITE = "read-composite", "Read-Composite"
    WRITE_COMPOSITE = "write-composite", "Write-Composite"
    OBSERVE_COMPOSITE = "observe-composite", "Observe-Composite"
    CANCEL_OBSERVE_COMPOSITE = "cancel-observe-composite", _("Cancel composite observation")


class CommandState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused by the device")
    SILENT = "silent", _("No answer")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


COMMAND_ENDED = (
    CommandState.DONE,
    CommandState.REFUSED,
    CommandState.SILENT,
    CommandState.EXPIRED,
    CommandState.CANCELLED,
)


_OPEN = ("queued", "sent")


class CommandQuerySet(QuerySet["Command"]):
    def open(self) -> CommandQuerySet:
        """Those that wait or are on their way."""
        return self.filter(state__in=_OPEN)

    def ended(self) -> CommandQuerySet:
        return self.exclude(state__in=_OPEN)


class Command(models.Model):
    """One operation for a device, held until it listens: FIFO per device, one in flight (NSTART=1)."""

    device = models.ForeignKey(
        "inventory.Device", on_delete=models.CASCADE, related_name="commands", verbose_name=_("device")
    )
    operation = models.CharField(_("operation"), max_length=24, choices=Operation.choices)
    path = models.CharField(_("path"), max_length=64)
    arguments = models.JSONField(_("arguments"), default=dict, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    state = models.CharField(
        _("state"), max_length=10, choices=CommandState.choices, default=CommandState.QUEUED
    )
    requested_by = models.CharField(_("requested by"), max_length=64, help_text=_("user:7, job:12 or system"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    correlation = models.CharField(
        _("correlation"),
        max_length=64,
        blank=True,
        help_text=_("by what whoever waits for the answer knows it again"),
    )
    is_waking = models.BooleanField(
        _("is waking"), default=False, help_text=_("sent although the device should be asleep")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    broken_off = models.PositiveSmallIntegerField(
        _("broken off"),
        default=0,
        help_text=_("attempts that ended because the device registered anew or moved"),
    )
    claimed_by = models.CharField(_("claimed by"), max_length=80, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    response_code = models.CharField(_("response code"), max_length=5, blank=True)
    answer = models.JSONField(_("answer"), null=True, blank=True)
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    detail = models.TextField(_("detail"), blank=True)

    objects = CommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["device", "-priority", "id"],
                condition=Q(state__in=["queued", "sent"]),
                name="command_waiting",
            ),
            models.Index(fields=["expires_at"], condition=Q(state="queued"), name="command_overdue"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(state="sent"), name="one_command_in_flight"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_operation_display()} {self.path}"

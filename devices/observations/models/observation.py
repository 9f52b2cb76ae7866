"""What is observed on devices, for as long as somebody wants it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ObservationState(models.TextChoices):
    WANTED = "wanted", _("Wanted")
    ACTIVE = "active", _("Active")
    REFUSED = "refused", _("Refused by the device")
    ENDED = "ended", _("Ended")


class Observation(models.Model):
    """What should be observed on a device, for as long as somebody wants it.


    Active means established on the registration `registration_id` under `token`; `notified_number` is the Observe
    option of the newest notification under it, or of the first answer. `key` is the path, or all paths of
    a composite observation in their order: of each of the two at most one row that is not ended may have it.
    """

    device = models.ForeignKey(
        "inventory.Device", on_delete=models.CASCADE, related_name="observations", verbose_name=_("device")
    )
    key = models.CharField(_("key"), max_length=1024)
    paths = models.JSONField(_("paths"))
    is_composite = models.BooleanField(_("is composite"), default=False)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    content_format = models.IntegerField(_("content format"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=8, choices=ObservationState.choices, default=ObservationState.WANTED
    )
    wanted_by = models.CharField(
        _("wanted by"), max_length=64, help_text=_("user:7, job:12, profile:3 or system")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    registration_id = models.CharField(_("registration id"), max_length=10, blank=True)
    token = models.CharField(_("token"), max_length=16, blank=True, help_text=_("hexadecimal"))
    command = models.ForeignKey(
        "commands.Command",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("command"),
    )
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    established_at = models.DateTimeField(_("established at"), null=True, blank=True)
    last_notified_at = models.DateTimeField(_("last notified at"), null=True, blank=True)
    notified_number = models.IntegerField(_("notified number"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "key", "is_composite"],
                condition=~Q(state="ended"),
                name="observation_once",
            ),
            models.UniqueConstraint(
                fields=["device", "token"], condition=Q(state="active"), name="observation_token_once"
            ),
        ]

    def __str__(self) -> str:
        return " ".join(self.paths)

"""The latest values of devices, and their history.

Hot tables: narrow, no index on what a new value changes (so that PostgreSQL updates in place), and written in bulk by
`devices.telemetry.services.values`, never through model instances.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator

DEFAULT_HISTORY_DAYS = 30


class ValueKind(models.TextChoices):
    """What a value is and which column holds it; a chart draws whatever has a `number`."""

    INTEGER = "i", _("Integer")  # number; past 2^53 the exact digits stand in text as well
    FLOAT = "n", _("Float")  # number
    BOOLEAN = "b", _("Boolean")  # number, 0 or 1
    TEXT = "t", _("Text")  # text
    OPAQUE = "o", _("Opaque")  # text, base64
    OBJECT_LINK = "l", _("Object link")  # text, 3:0
    EMPTY = "e", _("No value")  # a multiple resource without instances
    HIDDEN = "h", _("Hidden")  # a secret: that it was reported is kept, what it is is not


class ResourceValue(models.Model):
    """The newest value of one resource (instance) of a device, newest by its own time `at`.

    An end device of a gateway is a device of its own. The row is also what the narrow rows of `ResourceHistory`
    point at.
    """

    device = models.ForeignKey(
        "inventory.Device", on_delete=models.CASCADE, related_name="values", verbose_name=_("device")
    )
    path = models.CharField(_("path"), max_length=24)
    kind = models.CharField(_("kind"), max_length=1, choices=ValueKind.choices)
    number = models.FloatField(_("number"), null=True)
    text = models.TextField(_("text"), null=True)  # noqa: DJ001 null says that another column holds the value
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("resource value")
        verbose_name_plural = _("resource values")
        constraints = [
            models.UniqueConstraint(fields=["device", "path"], name="latest_value_once"),
        ]

    def __str__(self) -> str:
        return self.path


class ResourceHistory(models.Model):
    """One value at one time. A second value for the same time stands in the place of the first.

    No constraint in the database ties it to its ResourceValue: checking it would lock that row for every value.
    """

    pk = models.CompositePrimaryKey("value", "at")
    value = models.ForeignKey(
        ResourceValue,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="history",
        verbose_name=_("value"),
    )
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("kind"), max_length=1, choices=ValueKind.choices)
    number = models.FloatField(_("number"), null=True)
    text = models.TextField(_("text"), null=True)  # noqa: DJ001 null says that another column holds the value

    class Meta:
        verbose_name = _("resource history")
        verbose_name_plural = _("resource historys")

    def __str__(self) -> str:
        return f"{self.value_id} at {self.at}"


class HistoryRetention(models.Model):
    """For how many days an operator keeps the history of values; without a row `DEFAULT_HISTORY_DAYS`."""

    operator = models.OneToOneField(
        Operator,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="history_retention",
        verbose_name=_("operator"),
    )
    days = models.PositiveSmallIntegerField(
        _("days"),
        default=DEFAULT_HISTORY_DAYS,
        validators=[MaxValueValidator(3660)],
        help_text=_("0 keeps no history."),
    )

    class Meta:
        verbose_name = _("history retention")
        verbose_name_plural = _("history retentions")

    def __str__(self) -> str:
        return f"{self.days} days"

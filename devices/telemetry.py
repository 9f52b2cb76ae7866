"""What devices report and how it travelled: latest values, their history, observations, protocol messages.

Hot tables: narrow, no index on what a new value changes (so that PostgreSQL updates in place), and written in bulk
by `devices.services.values` and `traces`, never through model instances.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Operator

DEFAULT_HISTORY_DAYS = 30
TRACE_LIMIT = 200


class ValueKind(models.TextChoices):
    """What a value is and which column holds it; a chart draws whatever has a `number`."""

    INTEGER = "i", "Integer"  # number; past 2^53 the exact digits stand in text as well
    FLOAT = "n", "Float"  # number
    BOOLEAN = "b", "Boolean"  # number, 0 or 1
    TEXT = "t", "Text"  # text
    OPAQUE = "o", "Opaque"  # text, base64
    OBJECT_LINK = "l", "Object link"  # text, 3:0
    EMPTY = "e", "No value"  # a multiple resource without instances
    HIDDEN = "h", "Hidden"  # a secret: that it was reported is kept, what it is is not


class ResourceValue(models.Model):
    """The newest value of one resource (instance) of a device, newest by its own time `at`.

    An end device of a gateway is a device of its own. The row is also what the narrow rows of `ResourceHistory`
    point at.
    """

    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="values")
    path = models.CharField(max_length=24)
    kind = models.CharField(max_length=1, choices=ValueKind.choices)
    number = models.FloatField(null=True)
    text = models.TextField(null=True)  # noqa: DJ001 null says that another column holds the value
    at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
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
        ResourceValue, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="history"
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=1, choices=ValueKind.choices)
    number = models.FloatField(null=True)
    text = models.TextField(null=True)  # noqa: DJ001 null says that another column holds the value

    def __str__(self) -> str:
        return f"{self.value_id} at {self.at}"


class HistoryRetention(models.Model):
    """For how many days an operator keeps the history of values; without a row `DEFAULT_HISTORY_DAYS`."""

    operator = models.OneToOneField(
        Operator, on_delete=models.CASCADE, primary_key=True, related_name="history_retention"
    )
    days = models.PositiveSmallIntegerField(
        default=DEFAULT_HISTORY_DAYS, validators=[MaxValueValidator(3660)], help_text="0 keeps no history."
    )

    def __str__(self) -> str:
        return f"{self.days} days"


class ObservationState(models.TextChoices):
    WANTED = "wanted", "Wanted"
    ACTIVE = "active", "Active"
    REFUSED = "refused", "Refused by the device"
    ENDED = "ended", "Ended"


class Observation(models.Model):
    """What should be observed on a device, for as long as somebody wants it; `devices.services.observations`.

    Active means established on the registration `registration_id` under `token`; `notified_number` is the Observe
    option of the newest notification under it, or of the first answer. `key` is the path, or all paths of
    a composite observation in their order: of each of the two at most one row that is not ended may have it.
    """

    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="observations")
    key = models.CharField(max_length=1024)
    paths = models.JSONField()
    is_composite = models.BooleanField(default=False)
    attributes = models.JSONField(default=dict, blank=True)
    content_format = models.IntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=ObservationState.choices, default=ObservationState.WANTED)
    wanted_by = models.CharField(max_length=64, help_text="user:7, job:12, profile:3 or system")
    reason = models.CharField(max_length=200, blank=True)
    registration_id = models.CharField(max_length=10, blank=True)
    token = models.CharField(max_length=16, blank=True, help_text="hexadecimal")
    command = models.ForeignKey(
        "devices.Command", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    cause = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    established_at = models.DateTimeField(null=True, blank=True)
    last_notified_at = models.DateTimeField(null=True, blank=True)
    notified_number = models.IntegerField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
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


class Direction(models.TextChoices):
    IN = "in", "From the device"
    OUT = "out", "To the device"


class TraceHead(models.Model):
    """How many messages of a device were ever traced: the next one's place in its ring."""

    device = models.OneToOneField(
        "devices.Device", on_delete=models.CASCADE, primary_key=True, related_name="trace_head"
    )
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.count)


class TraceMessage(models.Model):
    """One protocol message; message n of a device stands in slot n mod `TRACE_LIMIT` and is overwritten there.

    A response repeats method and path of its request, so that each row can be read alone.
    """

    pk = models.CompositePrimaryKey("device", "slot")
    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="trace")
    slot = models.SmallIntegerField()
    number = models.BigIntegerField()
    at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction.choices)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=400)
    code = models.CharField(max_length=5, blank=True, help_text="of a response, such as 2.05")
    content_format = models.IntegerField(null=True)
    payload = models.JSONField(null=True)
    payload_bytes = models.IntegerField(default=0)
    duration_ms = models.FloatField(null=True)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.direction} {self.method} {self.path} {self.code}"


class TidyingCursor(models.Model):
    """Where a walk over a large table goes on in its next run."""

    name = models.CharField(max_length=40, primary_key=True)
    last_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} after {self.last_id}"

"""The ledger's tables: events that are never changed, their chains' heads and checkpoints, personal data that may go.

Database triggers (`audit/triggers.py`) hold what is promised here. Only `audit/ledger.py`, `sealing.py` and
`checkpoints.py` write rows. On PostgreSQL events are partitioned by month (`audit/partitions.py`).
"""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

FIRST_HASH = "0" * 64
PLATFORM_CHAIN = 0
_BEGINNINGS = ["varchar_pattern_ops", "int8_ops"]  # of a text and an id: "begins with" is a range of them too
ERASED = "(erased)"  # where a personal string was
FORMER = _("a former user")  # the same of a person, for whoever reads a page


class Result(models.TextChoices):
    OK = "ok", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class ActorKind(models.TextChoices):
    USER = "user", _("Person")
    DEVICE = "device", _("Device")
    SYSTEM = "system", _("Portal")
    ANONYMOUS = "anonymous", _("Not signed in")


class LedgerEvent(models.Model):
    """One thing that happened. `audit/canonical.py` says how `digest` and `hash` are computed.

    A deed writes it with its `digest` and without a place; the sealer gives it `sequence` and `hash` a moment later.

    The related ids are plain integers, not foreign keys: the ledger stands below the rooms that own them
    and its rows outlive theirs.
    """

    chain = models.BigIntegerField(_("chain"))
    sequence = models.BigIntegerField(_("sequence"), null=True, blank=True, editable=False)
    version = models.PositiveSmallIntegerField(_("version"))
    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("actor kind"), max_length=16, choices=ActorKind.choices)
    actor_id = models.CharField(_("actor id"), max_length=255, blank=True)
    actor_label = models.CharField(
        _("actor label"), max_length=255, blank=True
    )  # of devices and the portal; a person's is personal
    impersonator_id = models.CharField(_("impersonator id"), max_length=255, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    action = models.CharField(_("action"), max_length=64)
    result = models.CharField(_("result"), max_length=16, choices=Result.choices)
    cause = models.CharField(_("cause"), max_length=64, blank=True)
    target = models.CharField(_("target"), max_length=255, blank=True)
    device_id = models.BigIntegerField(_("device id"), null=True, blank=True)
    subscriber_id = models.BigIntegerField(_("subscriber id"), null=True, blank=True)
    operator_id = models.BigIntegerField(_("operator id"), null=True, blank=True)
    job_id = models.BigIntegerField(_("job id"), null=True, blank=True)
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)
    detail = models.JSONField(_("detail"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    personal = models.JSONField(
        _("personal"), default=dict, blank=True
    )  # field -> commitment, see PersonalDatum
    digest = models.CharField(_("digest"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64, blank=True)

    class Meta:
        verbose_name_plural = _("ledger events")
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="audit_event_chain_sequence"),
        ]
        # Every registered device writes here: indexes leave out the rows that nobody looks up by them.
        indexes = [
            models.Index(
                fields=["chain", "id"],
                name="audit_event_unsealed",
                condition=models.Q(sequence__isnull=True),
            ),
            models.Index(
                fields=["device_id", "id"],
                name="audit_event_device",
                condition=models.Q(device_id__isnull=False),
            ),
            models.Index(
                fields=["subscriber_id", "id"],
                name="audit_event_subscriber",
                condition=models.Q(subscriber_id__isnull=False),
            ),
            models.Index(
                fields=["job_id", "id"], name="audit_event_job", condition=models.Q(job_id__isnull=False)
            ),
            models.Index(fields=["operator_id", "id"], name="audit_event_operator"),
            models.Index(fields=["at", "id"], name="audit_event_at"),
            models.Index(
                fields=["cause", "id"],
                name="audit_event_cause",
                opclasses=_BEGINNINGS,
                condition=~models.Q(cause=""),
            ),
            models.Index(fields=["action", "id"], name="audit_event_action", opclasses=_BEGINNINGS),
            models.Index(
                fields=["result", "id"], name="audit_event_result", condition=~models.Q(result="ok")
            ),
            models.Index(
                fields=["target", "id"],
                name="audit_event_target",
                opclasses=_BEGINNINGS,
            ),
            models.Index(
                fields=["request_id"], name="audit_event_request", condition=~models.Q(request_id="")
            ),
        ]
        verbose_name = _("ledger event")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.chain}/{self.sequence or 'unsealed'} {self.action} {self.result}"

    def personal_value(self, field: str) -> str:
        """The personal string behind a commitment: "(erased)" if it was, "" if there never was one.

        Reads `personal_data`; prefetch it for lists (the selectors do).
        """
        if field not in self.personal:
            return ""
        return next((datum.value for datum in self.personal_data.all() if datum.field == field), ERASED)

    @property
    def actor_name(self) -> str:
        """The actor in words: the person's label where it is not erased, else what the row itself knows."""
        return (
            self.personal_value("actor")
            or self.actor_label
            or self.actor_id
            or ActorKind(self.actor_kind).label.lower()
        )

    @property
    def impersonator_name(self) -> str:
        return self.personal_value("impersonator") or self.impersonator_id

    @property
    def actor_words(self) -> str:
        """For pages: as `actor_name`, but somebody who was forgotten is a former user."""
        if self.actor_kind == ActorKind.SYSTEM and self.actor_id == "portal":  # `audit.context.SYSTEM`
            return gettext("The portal")
        return str(FORMER) if self.actor_name == ERASED else self.actor_name

    @property
    def impersonator_words(self) -> str:
        return str(FORMER) if self.impersonator_name == ERASED else self.impersonator_name


class PersonalDatum(models.Model):
    """A personal string of one event (a person's label, a client's address); may be deleted, never changed.

    The event keeps sha256(salt + value) as its commitment, so the chain stays whole when this row is erased.
    """

    # No constraint in the database: events are never deleted, and checking an insert would lock its event.
    event = models.ForeignKey(
        LedgerEvent,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="personal_data",
        verbose_name=_("event"),
    )
    field = models.CharField(_("field"), max_length=64)
    salt = models.BinaryField(_("salt"))
    value = models.TextField(_("value"))
    subject = models.CharField(
        _("subject"), max_length=128, blank=True, db_index=True
    )  # whose it is: "user:42", "subscriber:7"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "field"], name="audit_personal_event_field"),
        ]
        verbose_name = _("personal datum")
        verbose_name_plural = _("personal data")

    def __str__(self) -> str:
        return f"{self.field} of event {self.event_id}"


class LedgerCheckpoint(models.Model):
    """A signed statement that closes an epoch of a chain: how far it went, and its hash (`audit/checkpoints.py`)."""

    chain = models.BigIntegerField(_("chain"))
    epoch = models.PositiveIntegerField(_("epoch"), help_text=_("1, 2, …: each begins behind the one before"))
    sequence = models.BigIntegerField(_("sequence"), help_text=_("of the last event of the epoch"))
    count = models.BigIntegerField(_("count"), help_text=_("events of the epoch"))
    hash = models.CharField(_("hash"), max_length=64, help_text=_("of its last event"))
    at = models.DateTimeField(_("at"))
    key = models.CharField(_("key"), max_length=16, help_text=_("which key signed it"))
    signature = models.CharField(_("signature"), max_length=128)

    class Meta:
        verbose_name_plural = _("ledger checkpoints")
        constraints = [
            models.UniqueConstraint(fields=["chain", "epoch"], name="audit_checkpoint_epoch"),
        ]
        ordering = ["chain", "epoch"]
        verbose_name = _("ledger checkpoint")

    def __str__(self) -> str:
        return f"chain {self.chain}, epoch {self.epoch}, up to {self.sequence}"


class LedgerHead(models.Model):
    """The end of one chain: its last sequence (which is also its count, as sequences start at 1) and hash.

    Whoever seals holds this row's lock; it never goes back.
    """

    chain = models.BigIntegerField(_("chain"), primary_key=True)
    sequence = models.BigIntegerField(_("sequence"), default=0)
    hash = models.CharField(_("hash"), max_length=64, default=FIRST_HASH)

    class Meta:
        verbose_name_plural = _("ledger heads")
        verbose_name = _("ledger head")

    def __str__(self) -> str:
        return f"chain {self.chain} at {self.sequence}"


class StrangerTally(models.Model):
    """Within one hour: how many events of a kind strangers caused about a subject, and how many were held back.

    The row with three empty texts is the operator's own, for all kinds together. `audit.strangers` alone writes here.
    """

    chain = models.BigIntegerField(_("chain"))
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    action = models.CharField(_("action"), max_length=64, blank=True)
    cause = models.CharField(_("cause"), max_length=64, blank=True)
    hour = models.DateTimeField(_("hour"))
    written = models.PositiveIntegerField(_("written"), default=0)
    held_back = models.PositiveBigIntegerField(_("held back"), default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "chain", "subject", "action", "cause"], name="audit_stranger_tally"
            ),
        ]
        verbose_name = _("tally of strangers")
        verbose_name_plural = _("tallies of strangers")

    def __str__(self) -> str:
        return f"{self.subject or 'all'} {self.action} {self.cause}: {self.written} + {self.held_back}"

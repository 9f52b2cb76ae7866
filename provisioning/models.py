"""Why and when: bootstrap profiles, jobs and their steps, and the record of every bootstrap session."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator
from devices.inventory import security as modes
from devices.inventory.models import Device
from provisioning import observed_paths


class BootstrapProfile(models.Model):
    """What an operator's bootstrap server writes into a device: one management account, rendered per device.

    `server_uri` empty means this portal's own management server. Spans are seconds. Consistency rules:
    OMA-TS-LightweightM2M_Core appendix E.1 and E.2, checked by `lwm2m.bootstrap.validate`.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, related_name="bootstrap_profiles", verbose_name=_("operator")
    )
    name = models.CharField(_("name"), max_length=80)
    is_default = models.BooleanField(_("is default"), default=False)
    server_uri = models.CharField(
        _("server uri"), max_length=255, blank=True, help_text=_("Empty: this portal's management server.")
    )
    security = models.CharField(
        _("security"), max_length=10, choices=modes.profile_choices, default=modes.DEFAULT
    )
    short_server_id = models.PositiveIntegerField(
        _("short server id"), default=1, validators=[MinValueValidator(1), MaxValueValidator(65534)]
    )
    lifetime_seconds = models.PositiveIntegerField(_("lifetime seconds"), default=86400)
    binding = models.CharField(_("binding"), max_length=8, default="U")
    notification_storing = models.BooleanField(_("notification storing"), default=True)
    default_pmin_seconds = models.PositiveIntegerField(_("default pmin seconds"), null=True, blank=True)
    default_pmax_seconds = models.PositiveIntegerField(_("default pmax seconds"), null=True, blank=True)
    disable_timeout_seconds = models.PositiveIntegerField(_("disable timeout seconds"), null=True, blank=True)
    reads = models.JSONField(
        _("reads"),
        default=list,
        blank=True,
        help_text=_('Paths read before anything is deleted, e.g. ["/1", "/2"].'),
    )
    deletes = models.JSONField(
        _("deletes"), default=list, blank=True, help_text=_('Paths deleted first, e.g. ["/0", "/1"].')
    )
    access_rights = models.JSONField(
        _("access rights"),
        default=list,
        blank=True,
        help_text=_(
            'Who may do what, e.g. [{"path": "/3/0", "rights": {"0": 31}}]: 1 read, 2 write, 4 execute, '
            "8 delete, 16 create, by Short Server ID, 0 for every server."
        ),
    )
    observes = models.JSONField(
        _("observed"),
        default=list,
        blank=True,
        validators=[observed_paths.check],
        help_text=_('Paths observed on every device that has them, e.g. ["/3303"].'),
    )
    awake_seconds = models.PositiveIntegerField(
        _("awake seconds"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
        help_text=_(
            "How long devices in queue mode listen after they spoke. Empty: 93 s, or what SMS needs."
        ),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("bootstrap profile")
        verbose_name_plural = _("bootstrap profiles")
        ordering = ["operator", "name"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "name"], name="profile_name_once"),
            models.UniqueConstraint(
                fields=["operator"], condition=Q(is_default=True), name="one_default_profile_per_operator"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class JobKind(models.TextChoices):
    PROVISION = "provision", _("Bring online")


class JobState(models.TextChoices):
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting for the device")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


JOB_OPEN = (JobState.RUNNING, JobState.WAITING)


class JobQuerySet(QuerySet["Job"]):
    def open(self) -> JobQuerySet:
        """Those that run or wait."""
        return self.filter(state__in=("running", "waiting"))


class Job(models.Model):
    """Work the portal does for one device. The row is the truth; a broker message only rings a bell."""

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="jobs", verbose_name=_("operator")
    )
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, related_name="jobs", verbose_name=_("device")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=JobKind.choices, default=JobKind.PROVISION)
    state = models.CharField(_("state"), max_length=10, choices=JobState.choices, default=JobState.RUNNING)
    requested_by = models.CharField(_("requested by"), max_length=64)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    next_run_at = models.DateTimeField(_("next run at"), null=True, blank=True, default=timezone.now)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "kind"],
                condition=Q(state__in=["running", "waiting"]),
                name="one_open_job_per_kind",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_run_at"], condition=Q(state__in=["running", "waiting"]), name="job_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class StepState(models.TextChoices):
    PENDING = "pending", _("Not started")
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting for the device")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Not needed")
    FAILED = "failed", _("Failed")


class JobStep(models.Model):
    """One step of a job; `kind` names a file in provisioning/steps. `cause` says why it waits or failed."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps", verbose_name=_("job"))
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=30)
    state = models.CharField(_("state"), max_length=10, choices=StepState.choices, default=StepState.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    detail = models.TextField(_("detail"), blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)

    class Meta:
        verbose_name = _("job step")
        verbose_name_plural = _("job steps")
        ordering = ["job", "position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="step_position_once")]
        indexes = [models.Index(fields=["kind", "job"], condition=Q(state="waiting"), name="step_waiting")]

    def __str__(self) -> str:
        return f"{self.position}. {self.kind}"


class SessionState(models.TextChoices):
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    DONE_WITH_ERRORS = "done_with_errors", _("Done, some writes were refused")
    FINISH_REFUSED = "finish_refused", _("The device refused the configuration")
    FAILED = "failed", _("Failed")
    SUPERSEDED = "superseded", _("The device started again")


class BootstrapSession(models.Model):
    """One run of the bootstrap server with one device, and how it ended."""

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="bootstrap_sessions", verbose_name=_("operator")
    )
    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, related_name="bootstrap_sessions", verbose_name=_("device")
    )
    state = models.CharField(
        _("state"), max_length=16, choices=SessionState.choices, default=SessionState.RUNNING
    )
    transport = models.CharField(_("transport"), max_length=4)
    host = models.CharField(_("host"), max_length=45)
    port = models.IntegerField(_("port"))
    content_format = models.PositiveIntegerField(_("content format"))
    credential_id_written = models.BigIntegerField(_("credential id written"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    last_progress_at = models.DateTimeField(_("last progress at"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    detail = models.TextField(_("detail"), blank=True)

    class Meta:
        verbose_name = _("bootstrap session")
        verbose_name_plural = _("bootstrap sessions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(state="running"), name="one_bootstrap_session_per_device"
            )
        ]

    def __str__(self) -> str:
        return f"Bootstrap #{self.pk}"


class BootstrapExchange(models.Model):
    """One request of a bootstrap session and the device's answer; payloads with keys are never kept."""

    session = models.ForeignKey(
        BootstrapSession, on_delete=models.CASCADE, related_name="exchanges", verbose_name=_("session")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    operation = models.CharField(_("operation"), max_length=12)
    path = models.CharField(_("path"), max_length=64)
    sent_at = models.DateTimeField(_("sent at"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    response_code = models.CharField(_("response code"), max_length=5, blank=True)
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    detail = models.TextField(_("detail"), blank=True)

    class Meta:
        verbose_name = _("bootstrap exchange")
        verbose_name_plural = _("bootstrap exchanges")
        ordering = ["session", "position"]
        constraints = [models.UniqueConstraint(fields=["session", "position"], name="exchange_position_once")]

    def __str__(self) -> str:
        return f"{self.operation} {self.path} → {self.response_code or 'no answer'}"


from provisioning import ladder  # noqa: E402, F401 its models point at those above

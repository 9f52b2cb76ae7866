"""Who: people, operators (the tenants), staff roles, and subscribers' accounts with an operator."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.roles import Role
from live import readers

FORGOTTEN_DOMAIN = "erased.invalid"
"""Of the address that stands for somebody whose data was erased (RFC 2606: it is nobody's)."""


EMAIL_LENGTH = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address; addresses are compared without regard to case."""

    def _make(self, email: str, password: str | None, **extra: Any) -> User:
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        return self._make(email, password, **{"is_staff": False, "is_superuser": False, **extra})

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        return self._make(email, password, **{"is_staff": True, "is_superuser": True, **extra})

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person; what they may see follows from memberships and accounts, never from the user alone."""

    email = models.EmailField(_("e-mail"), max_length=EMAIL_LENGTH, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=readers.ZONE_NAME_LENGTH, blank=True)
    is_staff = models.BooleanField(_("may sign in to the admin"), default=False)
    is_active = models.BooleanField(_("is active"), default=True)
    date_joined = models.DateTimeField(_("date joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.email

    @property
    def is_forgotten(self) -> bool:
        """Their data was erased (`accounts.services.erasure`); the row stays for what they did."""
        return self.email.endswith(f"@{FORGOTTEN_DOMAIN}")

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.split("@")[0]

    def roles(self) -> dict[int, str]:
        """{operator id: role} of this person's staff memberships; read once per user object."""
        cached = getattr(self, "_roles", None)
        if cached is None:
            rows = self.staffmembership_set.filter(operator__is_active=True) if self.pk else []
            cached = {row.operator_id: row.role for row in rows}
            self._roles = cached
        return cached

    def visible_operator_ids(self) -> set[int] | None:
        """Operators whose data this person may see as staff; None means all of them."""
        if not (self.is_active and self.is_staff):
            return set()
        if self.is_superuser:
            return None
        return set(self.roles())


class Operator(models.Model):
    """A tenant: the management authority of the devices its subscribers register."""

    slug = models.SlugField(_("slug"), max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    description = models.CharField(
        _("description"), max_length=300, blank=True, help_text=_("Shown to people who choose an operator.")
    )
    support_email = models.EmailField(_("support email"), blank=True)
    is_active = models.BooleanField(
        _("is active"), default=True, help_text=_("Devices of an inactive operator are refused.")
    )
    is_open_for_signup = models.BooleanField(_("is open for signup"), default=True)
    allows_nosec = models.BooleanField(
        _("allows devices without encryption"),
        default=False,
        help_text=_("For laboratories; leave off in the field."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("operator")
        verbose_name_plural = _("operators")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StaffMembership(models.Model):
    """One person's role with one operator; until they accept, an invitation to whoever reads a mail address.

    An invitation has no `user`: nobody is looked up for it, so it gives no right, shows nothing of anybody and tells
    nobody whether the address has an account.
    """

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, editable=False, verbose_name=_("user")
    )
    email = models.EmailField(_("invited address"), max_length=254, blank=True)
    name = models.CharField(_("invited name"), max_length=120, blank=True)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, verbose_name=_("operator"))
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("staff membership")
        verbose_name_plural = _("staff memberships")
        ordering = ["operator", "user"]
        constraints = [
            models.UniqueConstraint(fields=["user", "operator"], name="one_role_per_operator"),
            models.UniqueConstraint(
                fields=["operator", "email"],
                condition=models.Q(user__isnull=True),
                name="one_invitation_per_address",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(email=""), name="a_person_or_an_invitation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.email} · {self.get_role_display()} · {self.operator}"

    @property
    def is_pending(self) -> bool:
        return self.user_id is None


class SubscriberState(models.TextChoices):
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed")


class Subscriber(models.Model):
    """A person's account with one operator; the same person may hold accounts with several operators."""

    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="subscribers", verbose_name=_("user")
    )
    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="subscribers", verbose_name=_("operator")
    )
    number = models.CharField(
        _("account number"),
        max_length=20,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9-]+$")],
        help_text=_("What the person names on the phone."),
    )
    state = models.CharField(
        _("state"), max_length=12, choices=SubscriberState.choices, default=SubscriberState.ACTIVE
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["user", "operator"], name="one_account_per_operator")]

    def __str__(self) -> str:
        return f"{self.number} ({self.user.email})"


class HealthProbe(models.Model):
    """One row that `/health/` writes: a database that is full or read-only answers every SELECT."""

    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("health probe")
        verbose_name_plural = _("health probes")


class BulkJob(models.Model):
    """A deed over many rows of one operator's, asked for in the admin; without an operator it is the platform's."""

    model = models.CharField(_("model"), max_length=100)
    action = models.CharField(_("action"), max_length=60)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, null=True, verbose_name=_("operator"))
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, verbose_name=_("requested by"))
    reason = models.CharField(_("reason"), max_length=200)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    touched_at = models.DateTimeField(
        _("touched at"), default=timezone.now, help_text=_("When rows were last worked on.")
    )
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["touched_at"], condition=models.Q(ended_at=None), name="bulk_open")]

    def __str__(self) -> str:
        return f"{self.model.split('.')[1]} · {self.action} · {self.created_at:%Y-%m-%d %H:%M}"


class BulkRowState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Left alone")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class BulkRow(models.Model):
    """One row of a bulk job and what came of it. It names the row by its id: a name would outlive who is forgotten."""

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="rows", verbose_name=_("job"))
    object_id = models.BigIntegerField(_("object id"))
    state = models.CharField(
        _("state"), max_length=8, choices=BulkRowState.choices, default=BulkRowState.WAITING
    )
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    at = models.DateTimeField(_("at"), null=True)

    class Meta:
        verbose_name = _("bulk row")
        verbose_name_plural = _("bulk rows")
        indexes = [models.Index(fields=["job", "state"], name="bulk_rows_by_state")]

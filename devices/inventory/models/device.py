"""A device under one operator's management, how it is reached, set up and secured."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import scoping
from accounts.models import Operator, Subscriber
from devices.inventory import security as modes
from devices.inventory.states import Access, Ownership, Provisioning


class Reach(models.TextChoices):
    """How the portal reaches a device."""

    IP = "ip", _("Own internet connection")
    SMS = "sms", _("SMS only")
    GATEWAY = "gateway", _("Behind an M2M gateway")


class Onboarding(models.TextChoices):
    """How a device gets its management account: from our bootstrap server, or it has it from the factory."""

    BOOTSTRAP = "bootstrap", _("Bootstrap server")
    DIRECT = "direct", _("Ready-made management credentials")


class DeviceQuerySet(QuerySet["Device"]):
    def living(self) -> DeviceQuerySet:
        """Without the retired ones, which are history: their endpoint names and numbers are free."""
        return self.exclude(access=Access.RETIRED)

    def retired(self) -> DeviceQuerySet:
        return self.filter(access=Access.RETIRED)

    def of_staff(self, user: Any, *permissions: str) -> DeviceQuerySet:
        """Those of the operators where the person's role gives one of `permissions` (by default: to view)."""
        return scoping.of_staff(self, user, "operator", *permissions)

    def of_subscriber(self, user: Any) -> DeviceQuerySet:
        """The person's own living ones."""
        return scoping.of_subscriber(self.living(), user, "subscriber")

    def visible_to(self, user: Any) -> DeviceQuerySet:
        """In whatever capacity: those of staff's operators, retired ones too, and a subscriber's own living ones."""
        rows = scoping.visible(self, user, operator_path="operator", subscriber_path="subscriber")
        operators = user.visible_operator_ids() if user.is_authenticated else set()
        if operators is None:
            return rows
        return rows.filter(~Q(access=Access.RETIRED) | Q(operator_id__in=operators))

    def living_first(self) -> DeviceQuerySet:
        """A living device before retired ones of the same name, and of those the newest first."""
        retired = Case(
            When(access=Access.RETIRED, then=Value(1)), default=Value(0), output_field=IntegerField()
        )
        return self.order_by(retired, "-pk")


class Device(models.Model):
    """A device an operator manages (or will). `endpoint` is its LwM2M endpoint name, unique in the portal.

    `via` and `prefix` are the way to a device behind a gateway: through whose registration, under which alternate path.
    They stay as they were last while the gateway does not tell of it (`gone_at`), so that pages can say whose it was;
    nothing is sent then. Only `devices.gateways.services.routes` writes them. See docs/decisions/gateways.md.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="devices", verbose_name=_("operator")
    )
    subscriber = models.ForeignKey(
        Subscriber,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="devices",
        verbose_name=_("subscriber"),
    )
    endpoint = models.CharField(_("endpoint"), max_length=255)
    name = models.CharField(
        _("name"), max_length=120, blank=True, help_text=_("What the subscriber calls it.")
    )
    reach = models.CharField(_("reach"), max_length=10, choices=Reach.choices, default=Reach.IP)
    onboarding = models.CharField(
        _("onboarding"), max_length=10, choices=Onboarding.choices, default=Onboarding.BOOTSTRAP
    )
    security = models.CharField(_("security"), max_length=10, choices=modes.choices, default=modes.DEFAULT)
    msisdn = models.CharField(
        _("phone number"),
        max_length=16,
        blank=True,
        help_text=_("International, + and digits: the device's identity over SMS, or where triggers go."),
    )
    msisdn_confirmed_at = models.DateTimeField(
        _("msisdn confirmed at"),
        null=True,
        blank=True,
        help_text=_("When an SMS came from the number: from then on nobody else can have it."),
    )
    ownership = models.CharField(
        _("ownership"), max_length=12, choices=Ownership.choices, default=Ownership.UNCLAIMED
    )
    access = models.CharField(_("access"), max_length=12, choices=Access.choices, default=Access.ACTIVE)
    provisioning = models.CharField(
        _("provisioning"), max_length=14, choices=Provisioning.choices, default=Provisioning.DRAFT
    )
    setup_cause = models.CharField(
        _("setup cause"),
        max_length=40,
        blank=True,
        help_text=_("Why its set-up failed or stands still; empty when it does not."),
    )
    awake_seconds = models.PositiveIntegerField(
        _("awake seconds"),
        null=True,
        blank=True,
        help_text=_(
            "How long it listens after it spoke, in queue mode. Empty: the house's 93 s, or what SMS needs."
        ),
    )
    via = models.ForeignKey(
        "self",
        verbose_name=_("via"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="children",
        help_text=_("The gateway that it is behind."),
    )
    prefix = models.CharField(
        _("prefix"), max_length=64, blank=True, editable=False, help_text=_("Its /25/x/1 at the gateway.")
    )
    gone_at = models.DateTimeField(
        _("gone at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when the gateway tells of it no more."),
    )
    end_devices_read_at = models.DateTimeField(
        _("end devices read at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Of a gateway: when its whole list of end devices was read last."),
    )
    # Read from /3/0 by the provisioning job.
    manufacturer = models.CharField(_("manufacturer"), max_length=120, blank=True)
    model_number = models.CharField(_("model number"), max_length=120, blank=True)
    serial_number = models.CharField(_("serial number"), max_length=120, blank=True)
    firmware_version = models.CharField(_("firmware version"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    first_online_at = models.DateTimeField(_("first online at"), null=True, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=~Q(access=Access.RETIRED), name="endpoint_once_among_living"
            ),
            models.UniqueConstraint(
                fields=["operator", "msisdn"],
                condition=~Q(access=Access.RETIRED) & ~Q(msisdn=""),
                name="msisdn_once_of_an_operator",
            ),
            models.UniqueConstraint(
                fields=["msisdn"],
                condition=~Q(access=Access.RETIRED) & Q(msisdn_confirmed_at__isnull=False),
                name="msisdn_confirmed_once",
            ),
            models.CheckConstraint(
                condition=Q(via=None, prefix="", gone_at=None)
                | (Q(via__isnull=False, reach=Reach.GATEWAY) & ~Q(prefix="")),
                name="way_is_whole_and_of_an_end_device",
            ),
            models.UniqueConstraint(
                fields=["via", "prefix"],
                condition=~Q(access=Access.RETIRED) & Q(via__isnull=False, gone_at=None),
                name="prefix_once_of_a_gateway",
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="device_operator"),
            models.Index(fields=["endpoint"], name="device_endpoint"),
            models.Index(fields=["via"], name="device_via", condition=Q(via__isnull=False)),
            models.Index(fields=["gone_at"], name="device_gone", condition=Q(gone_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or self.endpoint

    @property
    def security_mode(self) -> modes.Mode:
        """What its security mode says of it."""
        return modes.of(self.security)

"""What: devices, their credentials, knocks at the door, processes and object definitions.

Registrations and commands stand in modules of their own and are imported from here, as if they stood here.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Operator, Subscriber
from devices.commanding import COMMAND_ENDED, Command, CommandState, Operation
from devices.registering import Registration, RegistrationDetail, Transport
from devices.states import Access, Ownership, Provisioning

__all__ = [
    "COMMAND_ENDED",
    "Command",
    "CommandState",
    "Credential",
    "CredentialState",
    "Device",
    "Knock",
    "ObjectDefinition",
    "Onboarding",
    "Operation",
    "Plane",
    "Reach",
    "Registration",
    "RegistrationDetail",
    "Security",
    "SouthboundProcess",
    "Transport",
]


class Reach(models.TextChoices):
    """How the portal reaches a device."""

    IP = "ip", "Own internet connection"
    SMS = "sms", "SMS only"
    GATEWAY = "gateway", "Behind an M2M gateway"


class Onboarding(models.TextChoices):
    """How a device gets its management account: from our bootstrap server, or it has it from the factory."""

    BOOTSTRAP = "bootstrap", "Bootstrap server"
    DIRECT = "direct", "Ready-made management credentials"


class Security(models.TextChoices):
    PSK = "psk", "Pre-shared key"
    NONE = "none", "No encryption"
    MSISDN = "msisdn", "Phone number, vouched for by the SMSC"


class Device(models.Model):
    """A device an operator manages (or will). `endpoint` is its LwM2M endpoint name, unique in the portal."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="devices")
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.PROTECT, null=True, blank=True, related_name="devices"
    )
    endpoint = models.CharField(max_length=255)
    name = models.CharField(max_length=120, blank=True, help_text="What the subscriber calls it.")
    reach = models.CharField(max_length=10, choices=Reach.choices, default=Reach.IP)
    onboarding = models.CharField(max_length=10, choices=Onboarding.choices, default=Onboarding.BOOTSTRAP)
    security = models.CharField(max_length=10, choices=Security.choices, default=Security.PSK)
    msisdn = models.CharField(
        "phone number",
        max_length=16,
        blank=True,
        help_text="International, + and digits: the device's identity over SMS, or where triggers go.",
    )
    msisdn_confirmed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When an SMS came from the number: from then on nobody else can have it.",
    )
    ownership = models.CharField(max_length=12, choices=Ownership.choices, default=Ownership.UNCLAIMED)
    access = models.CharField(max_length=12, choices=Access.choices, default=Access.ACTIVE)
    provisioning = models.CharField(max_length=14, choices=Provisioning.choices, default=Provisioning.DRAFT)
    setup_cause = models.CharField(
        max_length=40, blank=True, help_text="Why its set-up failed or stands still; empty when it does not."
    )
    awake_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How long it listens after it spoke, in queue mode. Empty: the house's 93 s, or what SMS needs.",
    )
    # Read from /3/0 by the provisioning job.
    manufacturer = models.CharField(max_length=120, blank=True)
    model_number = models.CharField(max_length=120, blank=True)
    serial_number = models.CharField(max_length=120, blank=True)
    firmware_version = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    first_online_at = models.DateTimeField(null=True, blank=True)

    class Meta:
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
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="device_operator"),
            models.Index(fields=["endpoint"], name="device_endpoint"),
        ]

    def __str__(self) -> str:
        return self.name or self.endpoint


class Plane(models.TextChoices):
    BOOTSTRAP = "bootstrap", "Bootstrap server"
    MANAGEMENT = "management", "Management server"


class CredentialState(models.TextChoices):
    PENDING = "pending", "Written, not yet used"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


class Credential(models.Model):
    """A pre-shared key of a device on one plane. The key is encrypted, write-only, and never logged."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="credentials")
    plane = models.CharField(max_length=12, choices=Plane.choices)
    identity = models.CharField(max_length=128)
    sealed_key = models.TextField(editable=False)
    state = models.CharField(max_length=10, choices=CredentialState.choices, default=CredentialState.ACTIVE)
    created_at = models.DateTimeField(default=timezone.now)
    first_used_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plane", "identity"],
                condition=~Q(state=CredentialState.RETIRED),
                name="psk_identity_once_per_plane",
            )
        ]
        # Also for identities that were retired, or that nobody has: anybody may ask for one in a handshake.
        indexes = [models.Index(fields=["identity"], name="credential_identity")]

    def __str__(self) -> str:
        return f"{self.get_plane_display()}: {self.identity}"


class Knock(models.Model):
    """Refusals from the air that somebody could act on, counted: the waiting room.

    One row per (plane, cause, who knocked, from where), bounded in number, so that a flood grows a counter
    and not a table. `device` and `operator` are set when the knock can be tied to a known device.
    """

    plane = models.CharField(max_length=12, choices=Plane.choices)
    cause = models.CharField(max_length=40)
    claimed_name = models.CharField(max_length=255, blank=True, help_text="endpoint or PSK identity as sent")
    host = models.CharField(max_length=45)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, null=True, blank=True, related_name="knocks")
    operator = models.ForeignKey(
        Operator, on_delete=models.CASCADE, null=True, blank=True, related_name="knocks"
    )
    detail = models.CharField(max_length=300, blank=True)
    count = models.PositiveBigIntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["plane", "cause", "claimed_name", "host"], name="knock_counted_once"
            )
        ]
        indexes = [models.Index(fields=["claimed_name"], name="knock_name")]

    def __str__(self) -> str:
        return f"{self.claimed_name or self.host}: {self.cause} × {self.count}"


class SouthboundProcess(models.Model):
    """A running southbound process and its channel; a row whose heartbeat is old is a dead process."""

    flow = models.CharField(max_length=80, primary_key=True)
    number = models.PositiveSmallIntegerField(help_text="first byte of its DTLS connection ids")
    pid = models.IntegerField()
    host = models.CharField(max_length=120)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class ObjectDefinition(models.Model):
    """An object that an operator loaded beside the shipped ones; without an operator it is for all of them."""

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, null=True, blank=True)
    object_id = models.PositiveIntegerField()
    version = models.CharField(max_length=12)
    name = models.CharField(max_length=200)
    definition = models.JSONField(help_text="as lwm2m.objects.to_json writes it")
    source = models.CharField(max_length=200, help_text="name of the file it came in")
    loaded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["object_id", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "object_id", "version"], name="object_version_once_per_operator"
            ),
            models.UniqueConstraint(
                fields=["object_id", "version"],
                condition=Q(operator=None),
                name="object_version_once_for_all",
            ),
        ]

    def __str__(self) -> str:
        return f"/{self.object_id} {self.version} {self.name}"


from devices import gateways, messaging, telemetry  # noqa: E402, F401 their models point at those above by name

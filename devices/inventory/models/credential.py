"""What a device proves itself with, on each plane."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from devices.inventory import security as modes
from devices.inventory.models.device import Device


class Plane(models.TextChoices):
    BOOTSTRAP = "bootstrap", _("Bootstrap server")
    MANAGEMENT = "management", _("Management server")


class CredentialState(models.TextChoices):
    PENDING = "pending", _("Written, not yet used")
    ACTIVE = "active", _("Active")
    RETIRED = "retired", _("Retired")


class CredentialQuerySet(QuerySet["Credential"]):
    def usable(self) -> CredentialQuerySet:
        """Those that open something, or will once the device has them."""
        return self.exclude(state="retired")


class Credential(models.Model):
    """What a device proves itself with on one plane; encrypted, write-only, and never logged.

    `identity` is what the security layer says of the peer. `kind` is the security mode that made it, and that
    mode alone knows the layout of what is sealed.
    """

    device = models.ForeignKey(
        Device, on_delete=models.CASCADE, related_name="credentials", verbose_name=_("device")
    )
    plane = models.CharField(_("plane"), max_length=12, choices=Plane.choices)
    kind = models.CharField(_("kind"), max_length=10, choices=modes.choices, default=modes.DEFAULT)
    identity = models.CharField(_("identity"), max_length=128)
    sealed = models.TextField(_("sealed"), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=CredentialState.choices, default=CredentialState.ACTIVE
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    first_used_at = models.DateTimeField(_("first used at"), null=True, blank=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        constraints = [
            models.UniqueConstraint(
                fields=["plane", "identity"],
                condition=~Q(state=CredentialState.RETIRED),
                name="credential_identity_once_per_plane",
            )
        ]
        # Also for identities that were retired, or that nobody has: anybody may ask for one in a handshake.
        indexes = [models.Index(fields=["identity"], name="credential_identity")]

    def __str__(self) -> str:
        return f"{self.get_plane_display()}: {self.identity}"

    @property
    def security_mode(self) -> modes.Mode:
        return modes.of(self.kind)

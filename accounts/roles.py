"""What each staff role may do: one table, shipped to the database as groups by migration.

A role is held for one operator (`accounts.models.StaffMembership`); the table says which model permissions it
gives inside that operator. Codenames are Django's (`view_device`), so the admin asks what everybody asks.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", _("Administrator")
    PROVISIONING = "provisioning", _("Provisioning")
    SUPPORT = "support", _("Support")
    READ_ONLY = "read_only", _("Read-only")
    AUDITOR = "auditor", _("Auditor")


_INVENTORY = (
    "inventory.device",
    "registry.registration",
    "commands.command",
    "inventory.knock",
    "inventory.objectdefinition",
    "messaging.smsclink",
    "messaging.smsmessage",
    "messaging.smspart",
    "telemetry.historyretention",
    "packages.package",
)
_PROVISIONING = (
    "provisioning.bootstrapprofile",
    "provisioning.job",
    "provisioning.jobstep",
    "provisioning.bootstrapsession",
    "provisioning.bootstrapexchange",
    "provisioning.reachpolicy",
    "provisioning.reachattempt",
)
_BULK = ("accounts.bulkjob",)
_PEOPLE = ("accounts.subscriber", "accounts.staffmembership", "accounts.operator")
_TRAIL = ("audit.ledgerevent",)


def _may(verb: str, *names: str) -> frozenset[str]:
    return frozenset("{}.{}_{}".format(name.split(".")[0], verb, name.split(".")[1]) for name in names)


_LOOK = _may("view", *_INVENTORY, *_PROVISIONING, *_BULK, "accounts.subscriber", "accounts.operator")
_RUN = (
    _LOOK
    | _may("add", "inventory.device", "commands.command", "provisioning.bootstrapprofile", "provisioning.job")
    | _may(
        "change", "inventory.device", "provisioning.bootstrapprofile", "provisioning.job", "inventory.knock"
    )
    | _may("add", "inventory.objectdefinition", "packages.package")
    | _may("delete", "inventory.objectdefinition", "packages.package")
    | _may("change", "provisioning.reachpolicy")
)

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: _RUN
    | _may("view", *_PEOPLE, *_TRAIL, "inventory.credential")
    | _may("delete", "inventory.device", "provisioning.bootstrapprofile", "accounts.staffmembership")
    | _may("endanger", "inventory.device")
    | _may("add", "accounts.staffmembership", "inventory.credential", "telemetry.historyretention")
    | _may("add", "messaging.smsclink")
    | _may("change", "messaging.smsclink")
    | _may("delete", "messaging.smsclink")
    | _may("change", "accounts.operator", "accounts.subscriber", "accounts.staffmembership")
    | _may("change", "telemetry.historyretention"),
    Role.PROVISIONING: _RUN
    | _may("view", "inventory.credential")
    | _may("delete", "inventory.device")
    | _may("endanger", "inventory.device"),
    Role.SUPPORT: _LOOK
    | _may("view", *_TRAIL)
    | _may("add", "provisioning.job", "commands.command")
    | _may("change", "provisioning.job"),
    Role.READ_ONLY: _LOOK,
    Role.AUDITOR: _LOOK | _may("view", *_TRAIL, *_PEOPLE),
}

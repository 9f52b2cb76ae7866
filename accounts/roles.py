"""What each staff role may do: one table, shipped to the database as groups by migration.

A role is held for one operator (`accounts.models.StaffMembership`); the table says which model permissions it
gives inside that operator. Codenames are Django's (`view_device`), so the admin asks what everybody asks.
"""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Administrator"
    PROVISIONING = "provisioning", "Provisioning"
    SUPPORT = "support", "Support"
    READ_ONLY = "read_only", "Read-only"
    AUDITOR = "auditor", "Auditor"


_INVENTORY = (
    "devices.device",
    "devices.registration",
    "devices.command",
    "devices.knock",
    "devices.objectdefinition",
    "devices.smsclink",
    "devices.smsmessage",
    "devices.smspart",
    "devices.historyretention",
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
    | _may("add", "devices.device", "devices.command", "provisioning.bootstrapprofile", "provisioning.job")
    | _may("change", "devices.device", "provisioning.bootstrapprofile", "provisioning.job", "devices.knock")
    | _may("add", "devices.objectdefinition")
    | _may("delete", "devices.objectdefinition")
    | _may("change", "provisioning.reachpolicy")
)

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: _RUN
    | _may("view", *_PEOPLE, *_TRAIL, "devices.credential")
    | _may("delete", "devices.device", "provisioning.bootstrapprofile", "accounts.staffmembership")
    | _may("endanger", "devices.device")
    | _may("add", "accounts.staffmembership", "devices.credential", "devices.historyretention")
    | _may("add", "devices.smsclink")
    | _may("change", "devices.smsclink")
    | _may("delete", "devices.smsclink")
    | _may("change", "accounts.operator", "accounts.subscriber", "accounts.staffmembership")
    | _may("change", "devices.historyretention"),
    Role.PROVISIONING: _RUN
    | _may("view", "devices.credential")
    | _may("delete", "devices.device")
    | _may("endanger", "devices.device"),
    Role.SUPPORT: _LOOK
    | _may("view", *_TRAIL)
    | _may("add", "provisioning.job", "devices.command")
    | _may("change", "provisioning.job"),
    Role.READ_ONLY: _LOOK,
    Role.AUDITOR: _LOOK | _may("view", *_TRAIL, *_PEOPLE),
}

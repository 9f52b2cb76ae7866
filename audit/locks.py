"""Locking rows: how it is done, and the one order in which everybody does it.

`rows` is the only way to lock: a test fails where `select_for_update` is called elsewhere. It takes FOR NO KEY UPDATE
(PostgreSQL manual 13.3.2). FOR UPDATE would also stop everybody who inserts a row that refers to the locked one: a
page that holds a device would keep the first value of a resource waiting, and with it a batch of reports of others. No
service changes a key, so the weaker lock protects the same.

The order: who locks rows of several tables goes down this list, and takes rows of one table by ascending keys. What
belongs to a device is locked under that device's lock wherever it can change together with others; those locks may
come in any order, for nobody else can hold them. `tests/lock_order.py` looks at every transaction of the suite.
"""

from __future__ import annotations

from typing import Any, TypeVar, overload

from django.db.models import Manager, Model, QuerySet

Row = TypeVar("Row", bound=Model)
Rows = TypeVar("Rows", bound=QuerySet[Any])

ORDER = (
    "accounts_bulkrow",
    "accounts_user",
    "accounts_operator",
    "accounts_subscriber",
    # What an operator has set
    "provisioning_bootstrapprofile",
    "provisioning_reachpolicy",
    "inventory_objectdefinition",
    "telemetry_historyretention",
    "messaging_smsclink",
    "packages_package",
    # Devices, and what belongs to them
    "inventory_device",
    "gateways_enddevice",
    "inventory_credential",
    "provisioning_bootstrapsession",
    "provisioning_job",
    "provisioning_reachattempt",
    "commands_command",
    "registry_registration",
    "observations_observation",
    "messaging_smsmessage",
    "telemetry_resourcevalue",
    # Last of all, just before the commit
    "audit_strangertally",
    # Of the sealer alone, which locks nothing else
    "audit_ledgerhead",
)
"""By table, from first to last. The rooms above name theirs here because an order is one list or none."""

STRENGTH = "FOR NO KEY UPDATE"
"""For the statements that are written by hand."""


@overload
def rows(queryset: Rows, *, skip_locked: bool = False) -> Rows: ...
@overload
def rows(queryset: Manager[Row], *, skip_locked: bool = False) -> QuerySet[Row]: ...
def rows(queryset: Any, *, skip_locked: bool = False) -> Any:
    """These rows, locked until the transaction ends, and none joined to them. Order them if there may be several."""
    return queryset.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)

"""Where this room's sealed values lie in the database: passwords of SMSC links."""

from __future__ import annotations

from devices.inventory import vault
from devices.inventory.sealed_places import walk_rows
from devices.messaging.models import SmscLink


def _passwords(visit: vault.Visit) -> None:
    rows = SmscLink.objects.exclude(sealed_password="")
    walk_rows(rows, "sealed_password", lambda row: visit(row.sealed_password))


PASSWORDS = vault.Place("passwords of SMSC links", ("devices.messaging.services.smsc_links",), _passwords)

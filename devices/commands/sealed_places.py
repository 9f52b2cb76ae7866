"""Where this room's sealed values lie in the database: commands that wait, and those that ended."""

from __future__ import annotations

from django.db.models import Q

from devices.commands.models import Command
from devices.inventory import secrecy, vault
from devices.inventory.sealed_places import walk_rows


def _commands(visit: vault.Visit) -> None:
    """Also those that ended: they keep what they said."""
    rows = Command.objects.filter(Q(arguments__has_key="value") | Q(arguments__has_key="values"))
    walk_rows(rows, "arguments", lambda row: secrecy.revisited(row.arguments, visit))


COMMANDS = vault.Place("secrets in commands", ("devices.inventory.secrecy",), _commands)

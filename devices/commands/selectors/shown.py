"""A command as every door shows it to whoever may see it: what was asked, without secrets, and what came of it."""

from __future__ import annotations

from typing import Any

from devices.commands.models import Command
from devices.inventory import secrecy
from lwm2m.objects import Catalogue
from lwm2m.paths import Path

FIELDS = (
    "id",
    "operation",
    "path",
    "arguments",
    "priority",
    "state",
    "requested_by",
    "reason",
    "attempts",
    "created_at",
    "sent_at",
    "ended_at",
    "expires_at",
    "response_code",
    "answer",
    "cause",
    "detail",
)


def arguments(command: Command, catalogue: Catalogue) -> dict[str, Any]:
    """Keys and passwords are hidden; `catalogue` is that of the device's operator."""
    return dict(secrecy.masked(command.arguments, Path.parse(command.path), catalogue))


def told(command: Command, catalogue: Catalogue) -> dict[str, Any]:
    """FIELDS by name; times are aware datetimes."""
    return {**{name: getattr(command, name) for name in FIELDS}, "arguments": arguments(command, catalogue)}

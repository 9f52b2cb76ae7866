"""How many commands of people may wait for one device: so that nobody's loop fills everybody's tables."""

from __future__ import annotations

from django.conf import settings

from accounts.errors import Refused
from devices.commands.models import Command
from devices.inventory.models import Device

PERSON = "user:"  # how `requested_by` begins where somebody asked; the portal's own jobs bound themselves


def check(device: Device, requested_by: str) -> None:
    """Raises Refused QUOTA_REACHED. The caller holds the device."""
    if not requested_by.startswith(PERSON):
        return
    asked = Command.objects.filter(device=device, requested_by__startswith=PERSON)
    if asked.open().count() >= settings.COMMANDS_PER_DEVICE:
        raise Refused("COMMANDS_REACHED", count=settings.COMMANDS_PER_DEVICE)

"""What this room keeps of a person's devices, and how it goes: what they were asked."""

from __future__ import annotations

from accounts.erasing import Person
from accounts.services.erasure import delete
from devices.commands.models import Command


def erase(person: Person) -> None:
    delete(Command.objects.filter(device__in=list(person.device_ids)))

"""What this room keeps of a person's devices, and how it goes: what was observed of them."""

from __future__ import annotations

from accounts.erasing import Person
from accounts.services.erasure import delete
from devices.observations.models import Observation


def erase(person: Person) -> None:
    delete(Observation.objects.filter(device__in=list(person.device_ids)))

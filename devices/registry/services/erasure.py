"""What this room keeps of a person's devices, and how it goes: where they were."""

from __future__ import annotations

from accounts.erasing import Person
from accounts.services.erasure import delete
from devices.registry.models import Registration, RegistrationDetail


def erase(person: Person) -> None:
    ids = list(person.device_ids)
    delete(RegistrationDetail.objects.filter(device__in=ids))
    delete(Registration.objects.filter(device__in=ids))

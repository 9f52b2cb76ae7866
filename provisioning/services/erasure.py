"""What this room keeps of a person's devices, and how it goes: bootstraps, jobs, and how they were looked for."""

from __future__ import annotations

from accounts.erasing import Person
from accounts.services.erasure import delete
from provisioning.ladder import ReachAttempt
from provisioning.models import BootstrapSession, Job


def erase(person: Person) -> None:
    ids = list(person.device_ids)
    for model in (ReachAttempt, Job, BootstrapSession):
        delete(model._default_manager.filter(device__in=ids))

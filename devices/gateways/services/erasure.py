"""What this room keeps of a person's devices, and how it goes: what is behind them, and what waited for that."""

from __future__ import annotations

from django.db.models import Q

from accounts.erasing import Person
from accounts.services.erasure import delete
from devices.gateways.models import EndDevice, ParkedReport
from devices.gateways.services import routes


def erase(person: Person) -> None:
    ids = list(person.device_ids)
    ParkedReport.objects.filter(gateway__in=ids).delete()
    delete(EndDevice.objects.filter(Q(gateway__in=ids) | Q(device__in=ids)))
    routes.forget(device_ids=ids)

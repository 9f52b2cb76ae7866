"""What this room keeps of a person's devices, and how it goes: messages and numbers."""

from __future__ import annotations

from django.db.models import Q

from accounts.erasing import Person
from accounts.services.erasure import delete
from devices.inventory.models import Device
from devices.messaging.models import SmsMessage, SmsPart, SmsSpent


def erase(person: Person) -> None:
    ids = list(person.device_ids)
    numbers = set(Device.objects.filter(pk__in=ids).exclude(msisdn="").values_list("msisdn", flat=True))
    delete(SmsPart.objects.filter(msisdn__in=numbers))
    delete(SmsMessage.objects.filter(Q(device__in=ids) | Q(msisdn__in=numbers)))
    SmsSpent.objects.filter(device__in=ids).delete()

"""What this room keeps of a person's devices, and how it goes: values, their history, and what went over the wire."""

from __future__ import annotations

from accounts.erasing import Person
from devices.telemetry.models import ResourceHistory, ResourceValue, TraceHead, TraceMessage


def erase(person: Person) -> None:
    ids = list(person.device_ids)
    ResourceHistory.objects.filter(value__device__in=ids).delete()  # before its values: the most rows by far
    for model in (ResourceValue, TraceMessage, TraceHead):
        model._default_manager.filter(device__in=ids).delete()

"""What this room keeps of a person's devices, and how it goes: names, credentials, knocks at the door.

A retired device stays as a row without a word in it: the ledger and the operator's counts refer to it.
"""

from __future__ import annotations

from django.db.models import F, Q, Value
from django.db.models.fields import CharField
from django.db.models.functions import Cast, Concat

from accounts.erasing import ERASED, Person
from accounts.services.erasure import about, blank_log, delete
from devices.inventory.models import Credential, Device, Knock

_WORDS = (
    "name",
    "msisdn",
    "setup_cause",
    "manufacturer",
    "model_number",
    "serial_number",
    "firmware_version",
)


def erase(person: Person) -> None:
    ids = list(person.device_ids)
    devices = Device.objects.filter(pk__in=ids)
    credentials = Credential.objects.filter(device__in=ids)
    names = {*devices.values_list("endpoint", flat=True), *credentials.values_list("identity", flat=True)}
    numbers = set(devices.exclude(msisdn="").values_list("msisdn", flat=True))
    delete(
        Knock.objects.filter(Q(device__in=ids) | Q(claimed_name__in=names | numbers) | Q(host__in=numbers))
    )
    delete(credentials)
    blank_log(about(Device, ids))
    endpoint = Concat(Value(f"{ERASED}-"), Cast(F("pk"), CharField()))
    devices.update(endpoint=endpoint, **dict.fromkeys(_WORDS, ""))

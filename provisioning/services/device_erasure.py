"""What the devices wing keeps of a person's devices, and how it goes.

A retired device stays as a row without a word in it: the ledger and the operator's counts refer to it. All that it
said, was asked and was called goes.
"""

from __future__ import annotations

from django.db.models import F, Q, Value
from django.db.models.fields import CharField
from django.db.models.functions import Cast, Concat

from accounts.erasing import ERASED, Person
from accounts.services.erasure import blank_log
from devices.commands.models import Command
from devices.gateways.models import EndDevice, ParkedReport
from devices.inventory.models import Credential, Device, Knock
from devices.messaging.models import SmsMessage, SmsPart, SmsSpent
from devices.observations.models import Observation
from devices.registry.models import Registration, RegistrationDetail
from devices.telemetry.models import ResourceHistory, ResourceValue, TraceHead, TraceMessage

_WORDS = (
    "name",
    "msisdn",
    "setup_cause",
    "manufacturer",
    "model_number",
    "serial_number",
    "firmware_version",
)
_WING = ("inventory", "registry", "telemetry", "commands", "observations", "gateways", "messaging")
_OF_DEVICES = (
    *(Observation, ResourceValue, TraceMessage, TraceHead, Command, Credential),
    *(Registration, RegistrationDetail, SmsSpent),
)


def erase(person: Person) -> None:
    ids = list(person.device_ids)
    devices = Device.objects.filter(pk__in=ids)
    names = set(devices.values_list("endpoint", flat=True))
    names |= set(Credential.objects.filter(device__in=ids).values_list("identity", flat=True))
    numbers = set(devices.exclude(msisdn="").values_list("msisdn", flat=True))
    Knock.objects.filter(
        Q(device__in=ids) | Q(claimed_name__in=names | numbers) | Q(host__in=numbers)
    ).delete()
    SmsPart.objects.filter(msisdn__in=numbers).delete()
    SmsMessage.objects.filter(Q(device__in=ids) | Q(msisdn__in=numbers)).delete()
    ParkedReport.objects.filter(gateway__in=ids).delete()
    EndDevice.objects.filter(Q(gateway__in=ids) | Q(device__in=ids)).delete()
    ResourceHistory.objects.filter(value__device__in=ids).delete()  # before its values: the most rows by far
    for model in _OF_DEVICES:
        model._default_manager.filter(device__in=ids).delete()
    blank_log(Q(content_type__app_label__in=_WING, object_id__in=list(map(str, ids))))
    endpoint = Concat(Value(f"{ERASED}-"), Cast(F("pk"), CharField()))
    devices.update(endpoint=endpoint, **dict.fromkeys(_WORDS, ""))

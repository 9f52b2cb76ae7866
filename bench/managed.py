"""The rows of a bench of management, in a process of its own: `python -m bench.managed` reads lines, answers numbers.

devices N PREFIX        adds `PREFIX000001`…, without keys, once
observe N PREFIX        wishes an observation for each of the first N
commands N PREFIX K     K reads for each of the first N, seconds it took
waiting                 commands that have not ended
ended                   commands that ended well
history                 rows of values' history
"""

from __future__ import annotations

import os
import sys
import time
from itertools import islice

import django

from bench.fleet_device import PATH

PART = 250


def devices(count: int, prefix: str) -> int:
    from accounts.models import Operator
    from devices.inventory.models import Device, Onboarding
    from devices.inventory.states import Ownership, Provisioning

    operator = Operator.objects.get(slug="bench")
    known = Device.objects.filter(endpoint__startswith=prefix).count()
    Device.objects.bulk_create(
        Device(
            operator=operator,
            endpoint=f"{prefix}{number:06d}",
            security="none",
            onboarding=Onboarding.DIRECT,
            ownership=Ownership.CLAIMED,
            provisioning=Provisioning.APPLIED,
        )
        for number in range(known + 1, count + 1)
    )
    return count


def _first(count: int, prefix: str):  # type: ignore[no-untyped-def]
    from devices.inventory.models import Device

    return list(Device.objects.filter(endpoint__startswith=prefix).order_by("endpoint")[:count])


def observe(count: int, prefix: str) -> int:
    from audit import ledger
    from devices.observations.services import observations

    wished = iter(_first(count, prefix))
    while part := list(islice(wished, PART)):
        with ledger.unit_of_work():
            for device in part:
                observations.want(device=device, path=PATH, wanted_by="system")
    return count


def commands(count: int, prefix: str, each: int) -> float:
    """Through the service that pages use; many of them share a commit, as their rate is not what is measured."""
    from audit import ledger
    from devices.operations.services import operations

    began = time.monotonic()
    asked = iter([device for _ in range(each) for device in _first(count, prefix)])
    while part := list(islice(asked, PART)):
        with ledger.unit_of_work():
            for device in part:
                operations.request(device=device, operation="read", path=PATH, requested_by="system")
    return time.monotonic() - began


def waiting() -> int:
    from devices.commands.models import Command

    return Command.objects.open().count()


def ended() -> int:
    from devices.commands.models import Command, CommandState

    return Command.objects.filter(state=CommandState.DONE).count()


def history() -> int:
    from devices.telemetry.models import ResourceHistory

    return ResourceHistory.objects.count()


_KNOWN = {one.__name__: one for one in (devices, observe, commands, waiting, ended, history)}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "m2m_portal.settings")
    django.setup()
    print("ready", flush=True)
    for line in sys.stdin:
        what, *given = line.split()
        print(_KNOWN[what](*(int(word) if word.isdigit() else word for word in given)), flush=True)

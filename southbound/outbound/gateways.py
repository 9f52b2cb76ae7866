"""What the portal asks gateways about the devices behind them, and when: after Register, a new object list, a doubt.

The answers are commands of the mailbox like others; `devices.operations.services.settlement` takes in what they tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.utils import timezone

from devices.commands.models import Operation
from devices.commands.outcomes import Claimed, DeviceRefused, Done, Outcome
from devices.gateways.services import end_device_asks, end_device_reading, parked_reports
from devices.inventory.models import Device
from southbound.threads.database import Database
from southbound.threads.gathering import Gathering

_REGISTERED, _RELISTED, _UNOBSERVED, _DOUBTED = range(4)
_NOT_FOUND = "4.04"
_OBSERVED = (end_device_reading.PATH, Operation.OBSERVE)


class Gateways:
    """`on_told` is called on the loop with a gateway whose list was read: what is wanted behind it can be asked."""

    def __init__(self, database: Database, *, on_told: Callable[[int], None]) -> None:
        self._on_told = on_told
        self._gathering = Gathering("gateways", database, _ask, kinds=4)

    def registered(self, device_id: int) -> None:
        """It may be a gateway, or have been one."""
        self._gathering.add(_REGISTERED, device_id)

    def relisted(self, device_id: int) -> None:
        """It sent another object list: end devices may have come or gone."""
        self._gathering.add(_RELISTED, device_id)

    def settled(self, gateway_id: int, claimed: Claimed, outcome: Outcome) -> None:
        """A command of a device or of one behind it ended."""
        if claimed.device_id != gateway_id:
            if isinstance(outcome, DeviceRefused) and outcome.code == _NOT_FOUND:
                self._gathering.add(_DOUBTED, claimed.device_id)
        elif claimed.path == end_device_reading.PATH and isinstance(outcome, Done):
            self._on_told(gateway_id)
        elif (claimed.path, claimed.operation) == _OBSERVED and isinstance(outcome, DeviceRefused):
            self._gathering.add(_UNOBSERVED, gateway_id)

    async def stop(self) -> None:
        await self._gathering.stop()


def _ask(taken: Sequence[list[int]]) -> Sequence[Sequence[int]]:
    """On a database thread."""
    registered, relisted, unobserved, doubted = taken
    now = timezone.now()
    end_device_asks.registered(registered, now=now)
    end_device_asks.relisted(relisted, now=now)
    for gateway in Device.objects.filter(pk__in=unobserved):
        end_device_asks.refused(gateway=gateway, now=now)
    for device in Device.objects.filter(pk__in=doubted):
        end_device_asks.doubt(device=device, now=now)
    return ()


def sweep(*, now: datetime) -> None:
    """On a database thread, now and then: what waits for a reading asks for one, and does not wait for ever."""
    parked_reports.drop_old(now=now)
    waiting = parked_reports.waiting()
    if waiting:
        reason = "Values came for devices that are not known yet."
        end_device_asks.ask_again(gateway_ids=waiting, now=now, reason=reason)

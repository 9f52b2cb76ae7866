"""What the portal asks gateways about the devices behind them, and when: after Register, a new object list, a doubt.

What comes in one by one is worked off in batches by one task, as `observing` does it. The answers are commands of the
mailbox like others, and `devices.services.settlement` takes in what they tell.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from devices.models import Device, Operation
from devices.outcomes import Claimed, DeviceRefused, Done, Outcome
from devices.services import end_device_asks, parked_reports
from southbound.database import Database

logger = logging.getLogger(__name__)

BATCH_LIMIT = 500
PAUSE_SECONDS = 1.0
_NOT_FOUND = "4.04"
_OBSERVED = (end_device_asks.PATH, Operation.OBSERVE)


class Gateways:
    """`on_told` is called on the loop with a gateway whose list was read: what is wanted behind it can be asked."""

    def __init__(self, database: Database, *, on_told: Callable[[int], None]) -> None:
        self._database = database
        self._on_told = on_told
        self._registered: dict[int, None] = {}
        self._relisted: dict[int, None] = {}
        self._unobserved: dict[int, None] = {}
        self._doubted: dict[int, None] = {}
        self._work: asyncio.Task[None] | None = None

    def registered(self, device_id: int) -> None:
        """It may be a gateway, or have been one."""
        self._registered[device_id] = None
        self._start()

    def relisted(self, device_id: int) -> None:
        """It sent another object list: end devices may have come or gone."""
        self._relisted[device_id] = None
        self._start()

    def settled(self, gateway_id: int, claimed: Claimed, outcome: Outcome) -> None:
        """A command of a device or of one behind it ended."""
        if claimed.device_id != gateway_id:
            if isinstance(outcome, DeviceRefused) and outcome.code == _NOT_FOUND:
                self._doubted[claimed.device_id] = None
                self._start()
        elif claimed.path == end_device_asks.PATH and isinstance(outcome, Done):
            self._on_told(gateway_id)
        elif (claimed.path, claimed.operation) == _OBSERVED and isinstance(outcome, DeviceRefused):
            self._unobserved[gateway_id] = None
            self._start()

    async def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def _start(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._run(), name="gateways")

    async def _run(self) -> None:
        kinds = (self._registered, self._relisted, self._unobserved, self._doubted)
        while any(kinds):
            taken = [_take(kind) for kind in kinds]
            try:
                await self._database.run(_ask, *taken)
            except Exception as error:  # the database is away: the same once more
                logger.warning("gateways_failed error=%s: %s", type(error).__name__, error)
                for kind, ids in zip(kinds, taken, strict=True):
                    kind.update(dict.fromkeys(ids))
                await asyncio.sleep(PAUSE_SECONDS)


def _take(waiting: dict[int, None]) -> list[int]:
    taken = list(waiting)[:BATCH_LIMIT]
    for device_id in taken:
        del waiting[device_id]
    return taken


def _ask(registered: list[int], relisted: list[int], unobserved: list[int], doubted: list[int]) -> None:
    """On a database thread."""
    now = timezone.now()
    end_device_asks.registered(registered, now=now)
    end_device_asks.relisted(relisted, now=now)
    for gateway in Device.objects.filter(pk__in=unobserved):
        end_device_asks.refused(gateway=gateway, now=now)
    for device in Device.objects.filter(pk__in=doubted):
        end_device_asks.doubt(device=device, now=now)


def sweep(*, now: datetime) -> None:
    """On a database thread, now and then: what waits for a reading asks for one, and does not wait for ever."""
    parked_reports.drop_old(now=now)
    waiting = parked_reports.waiting()
    if waiting:
        reason = "Values came for devices that are not known yet."
        end_device_asks.ask_again(gateway_ids=waiting, now=now, reason=reason)

"""Observations as desired state: asked for again after every Register, marked lost when a registration ends.

What devices do comes in one by one and is worked off in batches by one task, so that a storm of registrations costs a
query and not a query each. The Observe requests themselves are commands of the mailbox.
"""

from __future__ import annotations

import asyncio
import logging

from django.utils import timezone

from devices.errors import Refused
from devices.models import Command, CommandState, Device, Operation, Registration
from devices.services import mailbox, observations
from devices.services.observations import Observed
from southbound.database import Database

logger = logging.getLogger(__name__)

BATCH_LIMIT = 500
BEHIND_LIMIT = 200
"""So many end devices of gateways are worked off at once: a large gateway must not keep the others waiting."""
PAUSE_SECONDS = 1.0


class ObservationRepair:
    """`registered` and `ended` are called on the loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanting: dict[int, None] = {}
        self._ended: dict[int, None] = {}
        self._work: asyncio.Task[None] | None = None

    def registered(self, device_id: int) -> None:
        """What was observed before is gone; what is wanted is asked for (R-07)."""
        self._ended.pop(device_id, None)
        self.repair(device_id)

    def repair(self, device_id: int) -> None:
        """It notified what is not known here, or was asked on a registration that ended meanwhile."""
        self._wanting[device_id] = None
        self._start()

    def ended(self, device_id: int) -> None:
        """Its registration is over, and all observations with it (R-02, R-08)."""
        self._wanting.pop(device_id, None)
        self._ended[device_id] = None
        self._start()

    async def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def _start(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._run(), name="observing")

    async def _run(self) -> None:
        while self._wanting or self._ended:
            ended, wanting = _take(self._ended), _take(self._wanting)
            try:
                left = await self._database.run(_repair, ended, wanting)
                self._wanting |= dict.fromkeys(left)
            except Exception as error:  # the database is away: the same once more
                logger.warning("observing_failed error=%s: %s", type(error).__name__, error)
                self._ended = dict.fromkeys(ended) | self._ended
                self._wanting = dict.fromkeys(wanting) | self._wanting
                await asyncio.sleep(PAUSE_SECONDS)


def _take(waiting: dict[int, None]) -> list[int]:
    taken = list(waiting)[:BATCH_LIMIT]
    for device_id in taken:
        del waiting[device_id]
    return taken


def _repair(ended: list[int], wanting: list[int]) -> list[int]:
    """On a database thread. Returns the devices behind which there is more to do."""
    now = timezone.now()
    if ended:
        alive = Registration.objects.filter(pk__in=ended, is_live=True).values_list("pk", flat=True)
        observations.lost(device_ids=set(ended) - set(alive))
    if not wanting:
        return []
    behind = observations.wanting_behind(wanting, BEHIND_LIMIT)
    for device_id, registration_id in (observations.wanting(wanting) | behind).items():
        observations.reestablish(device_id=device_id, registration_id=registration_id, now=now)
    return wanting if len(behind) == BEHIND_LIMIT else []


def read_whole(observed: Observed) -> None:
    """In the caller's transaction: a notification had only its first block, so the whole is read (RFC 7959 3.4)."""
    operation = Operation.READ_COMPOSITE if observed.is_composite else Operation.READ
    path = "/" if observed.is_composite else observed.paths[0]
    waiting = Command.objects.filter(
        device_id=observed.device_id, operation=operation, path=path, state=CommandState.QUEUED
    )
    device = Device.objects.filter(pk=observed.device_id).first()
    if device is None or waiting.exists():
        return
    arguments: dict[str, object] = {"paths": list(observed.paths)} if observed.is_composite else {}
    try:
        mailbox.enqueue(
            device=device,
            operation=operation,
            path=path,
            arguments=arguments,
            requested_by="system",
            reason="A notification came in blocks.",
        )
    except Refused:  # suspended at this very moment
        return

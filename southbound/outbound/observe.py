"""Observations as desired state: asked for again after every Register, marked lost when a registration ends.

The Observe requests themselves are commands of the mailbox.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from audit import ledger
from devices.observations.services import observations
from devices.registry.selectors import live
from lwm2m.object_links import ObjectLinks
from southbound.threads.database import Database
from southbound.threads.gathering import Gathering

BEHIND_LIMIT = 200
"""So many end devices of gateways are worked off at once: a large gateway must not keep the others waiting."""
_ENDED, _WANTING, _RELISTED = range(3)


class ObservationRepair:
    """`registered` and `ended` are called on the loop."""

    def __init__(self, database: Database) -> None:
        self._gathering = Gathering("observing", database, self._work, kinds=3)
        self._lists: dict[int, tuple[ObjectLinks, ObjectLinks]] = {}

    def registered(self, device_id: int) -> None:
        """What was observed before is gone; what is wanted is asked for (R-07)."""
        self._gathering.drop(_ENDED, device_id)
        self.repair(device_id)

    def relisted(self, device_id: int, before: ObjectLinks | None, after: ObjectLinks | None) -> None:
        """An Update brought another object list: what is observed may have gone, or come back."""
        if before is None or after is None:
            return
        self._lists[device_id] = (self._lists.get(device_id, (before, after))[0], after)
        self._gathering.add(_RELISTED, device_id)

    def repair(self, device_id: int) -> None:
        """It notified what is not known here, or was asked on a registration that ended meanwhile."""
        self._gathering.add(_WANTING, device_id)

    def ended(self, device_id: int) -> None:
        """Its registration is over, and all observations with it (R-02, R-08)."""
        self._gathering.drop(_WANTING, device_id)
        self._gathering.add(_ENDED, device_id)

    async def stop(self) -> None:
        await self._gathering.stop()

    def _work(self, taken: Sequence[list[int]]) -> Sequence[Sequence[int]]:
        """On a database thread. Returns the devices behind which there is more to do."""
        ended, wanting, relisted = taken
        lists = {pk: change for pk in relisted if (change := self._lists.get(pk)) is not None}
        if lists:
            with ledger.unit_of_work():
                wanting = [*wanting, *observations.relisted(changes=lists)]
            for pk, change in lists.items():
                if self._lists.get(pk) is change:
                    del self._lists[pk]
        return _repair(ended, wanting)


def _repair(ended: Sequence[int], wanting: Sequence[int]) -> Sequence[Sequence[int]]:
    now = timezone.now()
    if ended:
        observations.lost(device_ids=set(ended) - live.among(ended))
    if not wanting:
        return (), ()
    behind = observations.wanting_through(wanting, BEHIND_LIMIT)
    for device_id, registration_id in (observations.wanting(wanting) | behind).items():
        observations.reestablish(device_id=device_id, registration_id=registration_id, now=now)
    return (), wanting if len(behind) == BEHIND_LIMIT else ()

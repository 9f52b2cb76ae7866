"""Devices that a subscriber adds to a portal before they are switched on.

Their keys are kept for the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from simulator.device_file import Entry, load, save
from simulator.sim_cards import counted
from simulator.subscriber import Subscriber

SAVED_EVERY = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where and for whom devices are added, and the file that keeps what the portal shows only once.

    With ``first_number`` they have SMS alone, and numbers that count up from it.
    """

    subscriber: Subscriber
    operator: str
    file: Path
    bootstrap: str
    first_number: str | None = None

    async def entries(self, endpoints: Iterable[str]) -> AsyncIterator[Entry]:
        """Each device as soon as it may be switched on. Raises `PortalRefused`, `BadFile` and `BadCard`.

        A device that the file knows and the portal still has is used again, any other is added.
        """
        known = {entry.endpoint: entry for entry in load(self.file)} if self.file.exists() else {}
        unsaved = 0
        try:
            for index, endpoint in enumerate(endpoints):
                entry = known.get(endpoint)
                if entry is None or not await asyncio.to_thread(self.subscriber.has, endpoint):
                    entry = known[endpoint] = await self._added(endpoint, index)
                    unsaved += 1
                if unsaved >= SAVED_EVERY:
                    save(self.file, list(known.values()))
                    unsaved = 0
                yield entry
        finally:
            if unsaved:
                save(self.file, list(known.values()))

    async def _added(self, endpoint: str, index: int) -> Entry:
        if self.first_number is not None:
            number = counted(self.first_number, index)
            server = await asyncio.to_thread(self.subscriber.add_by_sms, endpoint, self.operator, number)
            return Entry(endpoint=endpoint, bootstrap=server, sms=number)
        credentials = await asyncio.to_thread(self.subscriber.add, endpoint, self.operator)
        return Entry(
            endpoint=endpoint,
            bootstrap=self.bootstrap,
            identity=credentials.identity,
            key_hex=credentials.key_hex,
        )

"""Devices that a subscriber adds to a portal before they are switched on.

Their keys are kept for the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from simulator.device_file import Entry, load, save
from simulator.subscriber import Subscriber

SAVED_EVERY = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where and for whom devices are added, and the file that keeps what the portal shows only once."""

    subscriber: Subscriber
    operator: str
    file: Path
    bootstrap: str

    async def entries(self, endpoints: Iterable[str]) -> AsyncIterator[Entry]:
        """Each device as soon as it may be switched on. Raises `PortalRefused` and `BadFile`.

        A device that the file knows and the portal still has is used again, any other is added.
        """
        known = {entry.endpoint: entry for entry in load(self.file)} if self.file.exists() else {}
        unsaved = 0
        try:
            for endpoint in endpoints:
                entry = known.get(endpoint)
                if entry is None or not await asyncio.to_thread(self.subscriber.has, endpoint):
                    entry = known[endpoint] = await self._added(endpoint)
                    unsaved += 1
                if unsaved >= SAVED_EVERY:
                    save(self.file, list(known.values()))
                    unsaved = 0
                yield entry
        finally:
            if unsaved:
                save(self.file, list(known.values()))

    async def _added(self, endpoint: str) -> Entry:
        credentials = await asyncio.to_thread(self.subscriber.add, endpoint, self.operator)
        return Entry(
            endpoint=endpoint,
            bootstrap=self.bootstrap,
            identity=credentials.identity,
            key_hex=credentials.key_hex,
        )

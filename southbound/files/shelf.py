"""What the file server hands out, between aiocoap and the database: bounded copies of what was just asked for.

Of each package it knows for a moment what it is, and of all together the last parts. A transfer reads a part of 64 KiB
once and answers 64 requests from it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from devices.packages.services import packages
from devices.packages.services.addresses import Address
from devices.packages.services.packages import PART_BYTES, Stored
from southbound.threads.database import Database

KNOWN_SECONDS = 10.0
"""A package that was removed, or whose device was suspended, is handed out for so long yet."""
PACKAGES, PARTS = 1_024, 64

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shelf:
    """For one loop. Raises `django.db.Error` where the database is away."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._packages: _Recent[Address, tuple[float, Stored | None]] = _Recent(PACKAGES)
        self._parts: _Recent[tuple[int, int], bytes] = _Recent(PARTS)

    async def find(self, address: Address) -> Stored | None:
        """The package at an address; None where there is none any more for whom it was given out."""
        known = self._packages.get(address)
        if known is None or self._clock() >= known[0]:
            known = (
                self._clock() + KNOWN_SECONDS,
                await self._database.run(packages.stored, address.token, address.device_id),
            )
            self._packages.put(address, known)
        return known[1]

    async def read(self, package: Stored, start: int, size: int) -> bytes | None:
        """Bytes from `start` on, at most `size`, which divides the size of a part. None if it was removed meanwhile."""
        number, offset = divmod(start, PART_BYTES)
        key = (package.package_id, number)
        part = self._parts.get(key)
        if part is None:
            part = await self._database.run(packages.part, *key)
            if part is None:
                return None
            self._parts.put(key, part)
        return part[offset : offset + size]


class _Recent(Generic[K, V]):
    """The last that were asked for."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)

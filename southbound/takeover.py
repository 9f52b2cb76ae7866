"""Devices of a process that died, called one by one until they answer: whoever hears the answer has their flow.

On a port that several processes share, the system chooses which of them hears a device. So the device is asked, with
a CoAP ping (RFC 7252 section 4.3), and the process that gets the reset takes it over. That goes for NoSec; a device
with a DTLS session makes a new handshake, which says the same.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Hashable

from django.utils import timezone

from devices.models import Plane
from devices.services import takeover
from lwm2m.registration import Origin
from southbound.database import Database
from southbound.transports import coap
from southbound.transports.lane import Lane
from southbound.transports.ports import Ports

logger = logging.getLogger(__name__)

CALLS = 5
"""So often a device is called; then it has to speak first."""


class Takeover:
    """`sweep` and `answered` are called on the loop; `on_adopted` is told of each device that became ours."""

    def __init__(
        self, *, flow: str, host: str, ports: Ports, database: Database, on_adopted: Callable[[int], None]
    ) -> None:
        self._flow = flow
        self._host = host
        self._ports = ports
        self._database = database
        self._on_adopted = on_adopted
        self._orphans: dict[tuple[str, int], int] = {}
        self._calls: dict[int, int] = {}
        self._answered: set[int] = set()
        self._work: asyncio.Task[None] | None = None

    async def sweep(self) -> None:
        """Look for orphans, and call them if nobody else does."""
        found = await self._database.run(takeover.look, flow=self._flow, host=self._host, now=timezone.now())
        self._orphans = found.by_address
        ids = set(self._orphans.values())
        self._calls = {device_id: count for device_id, count in self._calls.items() if device_id in ids}
        if found.is_first:
            for address, device_id in self._orphans.items():
                self._call(address, device_id)

    def answered(self, lane: Lane, peer: Hashable) -> None:
        """Something empty came from there: a reset, if it was called."""
        if lane.plane != "management" or not isinstance(peer, tuple):
            return
        device_id = self._orphans.pop(peer, None)
        if device_id is None:
            return
        self._answered.add(device_id)
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._adopt(), name="takeover")

    async def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def _call(self, address: tuple[str, int], device_id: int) -> None:
        made = self._calls.get(device_id, 0)
        route = self._ports.route(Plane.MANAGEMENT, Origin(*address))
        if made >= CALLS or route is None:
            return
        self._calls[device_id] = made + 1
        lane, peer = route
        lane.transmit(peer, coap.write_empty(coap.CON, secrets.randbelow(0x10000)))

    async def _adopt(self) -> None:
        while self._answered:
            ids, self._answered = self._answered, set()
            try:
                adopted = await self._database.run(
                    takeover.adopt, device_ids=ids, flow=self._flow, host=self._host, now=timezone.now()
                )
            except Exception as error:  # the database is away: they are called again
                logger.warning("takeover_failed count=%d error=%s: %s", len(ids), type(error).__name__, error)
                return
            for device_id in adopted:
                self._on_adopted(device_id)

"""Whose devices are whose: after a restart, after a new handshake, and when another process died.

A DTLS session says where its device is reached: the registration made with its identity gets the flow of the process
that has the session, whether it came along over a restart or is new, even if the device says nothing more.

Without security the system chooses which of several processes on one port hears a device. So devices of a process
that died are called one by one, with a CoAP ping (RFC 7252 section 4.3), and whoever gets the reset has their flow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from itertools import islice

from django.utils import timezone

import dtls
from devices.commands.selectors.mailbox import has_waiting
from devices.commands.services import takeover
from devices.inventory.models import Plane
from devices.registry.services import flows
from lwm2m.registration import Origin
from southbound.listeners.lane import Lane
from southbound.process.ports import Ports
from southbound.threads.database import Database

logger = logging.getLogger(__name__)

CALLS = 5
"""So often a device is called; then it has to speak first."""
SETTLE_SECONDS = 1.0
"""Most devices speak right after their handshake, which says where they are for nothing."""
AT_ONCE = 500


class Takeover:
    """`sweep` and `answered` are called on the loop; `on_adopted` is told of each device that became ours."""

    def __init__(
        self, *, flow: str, host: str, ports: Ports, database: Database, on_adopted: Callable[[int], None]
    ) -> None:
        ports.on_known = self.known
        self._flow = flow
        self._host = host
        self._ports = ports
        self._database = database
        self._on_adopted = on_adopted
        self._orphans: dict[tuple[str, int], int] = {}
        self._calls: dict[int, int] = {}
        self._answered: set[int] = set()
        self._work: asyncio.Task[None] | None = None
        self._sessions: dict[str, dtls.Session] = {}
        self._settling: asyncio.Task[None] | None = None

    def known(self, session: dtls.Session) -> None:
        """A session is new here, or its device has moved: look soon whether its registration says so."""
        self._sessions[session.identity.decode(errors="replace")] = session
        if self._settling is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._settling = loop.create_task(self._settle_soon(), name="takeover sessions")

    async def take_up(self) -> None:
        """The sessions that came with the restart: their devices are reached from here, at once."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        await self._settle(are_new=False)
        missing = await self._database.run(
            flows.without_session, flow=self._flow, host=self._host, now=timezone.now()
        )
        if missing:
            logger.warning("dtls_sessions_lost devices=%d they=shake hands anew when they speak", missing)

    async def _settle_soon(self) -> None:
        while self._sessions:
            await asyncio.sleep(SETTLE_SECONDS)
            try:
                await self._settle(are_new=True)
            except Exception as error:  # the database is away: they stay noted, and it is tried again
                logger.warning("takeover_failed error=%s: %s", type(error).__name__, error)
        self._settling = None

    async def _settle(self, *, are_new: bool) -> None:
        while self._sessions:
            part = dict(islice(self._sessions.items(), AT_ONCE))
            addresses = {
                identity: (str(session.address[0]), int(session.address[1]))
                for identity, session in part.items()
                if session.address is not None and not session.is_closed
            }
            taken = await self._database.run(
                flows.sessions_here,
                addresses=addresses,
                flow=self._flow,
                host=self._host,
                now=timezone.now(),
                are_new=are_new,
            )
            for identity, session in part.items():
                if self._sessions.get(identity) is session:
                    del self._sessions[identity]
            for device_id in await self._database.run(has_waiting, taken):
                self._on_adopted(device_id)

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
        for task in (self._work, self._settling):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _call(self, address: tuple[str, int], device_id: int) -> None:
        made = self._calls.get(device_id, 0)
        route = self._ports.route(Plane.MANAGEMENT, Origin(*address))
        if made >= CALLS or route is None:
            return
        self._calls[device_id] = made + 1
        lane, peer = route
        lane.ping(peer)

    async def _adopt(self) -> None:
        while self._answered:
            ids, self._answered = self._answered, set()
            try:
                adopted = await self._database.run(
                    flows.adopt, device_ids=ids, flow=self._flow, host=self._host, now=timezone.now()
                )
            except Exception as error:  # the database is away: they are called again
                logger.warning("takeover_failed count=%d error=%s: %s", len(ids), type(error).__name__, error)
                return
            for device_id in adopted:
                self._on_adopted(device_id)

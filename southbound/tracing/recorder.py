"""The protocol trace: what known devices and this server said to each other, written in bulk beside the hot path.

On the loop a message costs one entry in a list. A task of its own writes what came every quarter of a second, in one
transaction. There is only so much room in a quarter of a second, and less for plain refreshes: under a storm the rest
is left out and counted, so that no registration waits for a trace.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from django.db import transaction

from devices.inventory import events, object_models
from devices.inventory.models import Device
from devices.telemetry.services import traces
from devices.telemetry.services.traces import Direction
from lwm2m.codes import Code, dotted
from lwm2m.messages import Request, Response
from lwm2m.objects import Catalogue
from southbound.counters import Counters
from southbound.listeners.engine import Reply
from southbound.listeners.lane import Exchange
from southbound.listeners.notifications import Notification
from southbound.peers import senders
from southbound.peers.targets import Target
from southbound.threads.database import Database
from southbound.threads.guard import Guard
from southbound.tracing.sightings import NOTIFY, RESET, Answered, Sighting, spread, words

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.25
ROOM = 150
"""So many exchanges in a pause: about 600 in a second."""
ROOM_FOR_REFRESHES = 40
"""Of them, so many may be plain refreshes, which all look the same."""
ROOM_IN_STORM = 8
"""And only so many once more than those came in the pause before: each costs as much as several refreshes."""
END_SECONDS = 1.0


class Tracing:
    """All but `start` and `stop` may be called at any time, from the loop."""

    def __init__(self, *, counters: Counters, database: Database, guard: Guard | None = None) -> None:
        self._guard = guard or Guard()
        self._counters = counters
        self._database = database
        self._waiting: list[Sighting | Answered] = []
        self._refreshes = 0
        self._room = ROOM_FOR_REFRESHES
        self._something = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._work = asyncio.get_running_loop().create_task(self._run(), name="tracing")
        self._guard.watch(self._work)

    async def stop(self) -> None:
        """Write what waits, if that does not take long."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._write()
        except TimeoutError:
            return

    def refreshed(self, exchange: Exchange, response: Response, device_id: int) -> None:
        """A plain refresh, stored and answered."""
        self._refreshes += 1
        if self._refreshes > self._room:
            self._counters.untraced += 1
            return
        self.answered(exchange, response, device_id)

    def answered(self, exchange: Exchange, response: Response, device_id: int | None) -> None:
        """Any other request of a device and its answer. Who sent it is looked up, where it is not known."""
        if exchange.plane == "management":
            self._put(Answered(exchange, response, time.time(), device_id))

    def asked(self, device_id: int, request: Request, about: str, target: Target) -> None:
        """A request of ours leaves."""
        if self._is_full():
            return
        method, path = words(request)
        self._put(
            Sighting(
                time.time(),
                Direction.OUT,
                method,
                path,
                content_format=request.content_format,
                payload=request.payload,
                about=about,
                device_id=device_id,
                catalogue=target.catalogue,
            )
        )

    def replied(
        self,
        device_id: int,
        request: Request,
        about: str,
        target: Target,
        reply: Reply | None,
        seconds: float,
    ) -> None:
        """The device answered after so many seconds; None is a reset."""
        if self._is_full():
            return
        method, path = words(request)
        self._put(
            Sighting(
                time.time(),
                Direction.IN,
                method,
                path,
                RESET if reply is None else dotted(reply.code),
                None if reply is None else reply.content_format,
                b"" if reply is None else reply.payload,
                about=about,
                duration_ms=seconds * 1000,
                device_id=device_id,
                catalogue=target.catalogue,
            )
        )

    def notified(
        self, device_id: int, notification: Notification, paths: Sequence[str], *, is_welcome: bool
    ) -> None:
        """A notification about `paths`, none where nothing is known to be observed; and our reset, if it got one."""
        if self._is_full():
            return
        path = " ".join(paths) or "(not observed)"
        about = paths[0] if len(paths) == 1 else "/"
        self._put(
            Sighting(
                notification.came_at,
                Direction.IN,
                NOTIFY,
                path,
                dotted(notification.code),
                notification.content_format,
                notification.payload,
                about=about,
                device_id=device_id,
            )
        )
        if not is_welcome:
            self._put(Sighting(time.time(), Direction.OUT, NOTIFY, path, RESET, device_id=device_id))

    def fetched(self, device_id: int, name: str, at: float, start: int, length: int, size: int) -> None:
        """A block of a package left for a device: `length` bytes from `start` on, of `size`."""
        path = f"{name} ({start}–{start + length} of {size} bytes)"
        self._put(Sighting(at, Direction.OUT, "GET", path, dotted(Code.CONTENT), device_id=device_id))

    def _is_full(self) -> bool:
        """Asked before a message is put into words; one that finds no room is counted."""
        if len(self._waiting) < ROOM:
            return False
        self._counters.untraced += 1
        return True

    def _put(self, entry: Sighting | Answered) -> None:
        if self._is_full():
            return
        self._waiting.append(entry)
        self._something.set()

    async def _run(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(PAUSE_SECONDS)
            await self._write()

    async def _write(self) -> None:
        self._something.clear()
        waiting, self._waiting = self._waiting, []
        self._room = ROOM_IN_STORM if self._refreshes > ROOM_FOR_REFRESHES else ROOM_FOR_REFRESHES
        self._refreshes = 0
        if not waiting:
            return
        try:
            await self._database.run(_record, waiting)
        except Exception as error:  # a trace is a help, not a promise
            self._counters.untraced += len(waiting)
            logger.warning("trace_lost count=%d error=%s: %s", len(waiting), type(error).__name__, error)


def _record(waiting: Sequence[Sighting | Answered]) -> None:
    """On a database thread: the messages of those devices that there are."""
    sightings = spread(waiting)
    strangers = {one.origin.sender for one in sightings if one.device_id is None and one.origin is not None}
    found = {o: sender.device_id for o, sender in senders.find(list(strangers)).items()} if strangers else {}
    told = [
        (one, device_id)
        for one in sightings
        if (device_id := one.device_id or (found.get(one.origin.sender) if one.origin else None)) is not None
    ]
    rows = Device.objects.filter(pk__in={device_id for _, device_id in told})
    operators = dict(rows.values_list("pk", "operator_id"))
    known: dict[int, Catalogue] = {one: object_models.catalogue(one) for one in set(operators.values())}
    messages = [
        one.message(device_id, known[operators[device_id]])
        for one, device_id in told
        if device_id in operators
    ]
    with transaction.atomic():
        traces.record(messages=messages)
        events.devices_changed(operators.items(), ["trace"])

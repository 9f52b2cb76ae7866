"""The door out: `flush` claims a device's next command, sends it, and settles it, one at a time per device.

A nudge, the device's own Register or Update, and the sweep all lead here. A command is claimed only when the device
listens and there is a way to it, so one that cannot be sent stays queued and costs no attempt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from devices import object_models
from devices.models import Plane, Registration, RegistrationDetail
from devices.outcomes import Claimed, DeviceRefused, Done, Outcome, Silent
from devices.services import mailbox
from lwm2m import registration
from lwm2m.codes import dotted
from lwm2m.errors import Lwm2mError
from lwm2m.links import ObjectLinks
from lwm2m.paths import Path
from lwm2m.presence import presence
from lwm2m.registration import Change, Origin
from southbound import answers, operations
from southbound.database import Database
from southbound.operations import Target
from southbound.transports.engine import Engine, NoReply
from southbound.transports.lane import Lane
from southbound.transports.ports import Ports

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Facts:
    """`lwm2m.presence.Facts` of a registration row."""

    queue_mode: bool
    last_seen_at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A claimed command, and the way to its device."""

    claimed: Claimed
    target: Target
    lane: Lane
    peer: Hashable


class Downlink:
    """`wake` may be called at any time, from the loop."""

    def __init__(self, *, flow: str, engine: Engine, ports: Ports, database: Database) -> None:
        self._flow = flow
        self._engine = engine
        self._ports = ports
        self._database = database
        self._flushing: dict[int, asyncio.Task[None]] = {}
        self._sending: dict[int, asyncio.Task[Outcome]] = {}
        self._again: set[int] = set()

    def wake(self, device_id: int) -> None:
        """There may be something for this device: flush it, once more if that is under way."""
        if device_id in self._flushing:
            self._again.add(device_id)
            return
        task = asyncio.get_running_loop().create_task(self._flush(device_id), name=f"flush {device_id}")
        self._flushing[device_id] = task

    def heard(self, device_id: int, outcome: registration.Outcome) -> None:
        """A device that registered anew or moved will not answer what was sent before (L-01, L-14)."""
        if outcome.change in (Change.REGISTERED, Change.REPLACED) or "origin" in outcome.changed:
            self._break_off(device_id)
        elif outcome.change is Change.DEREGISTERED:
            self.ended(device_id)

    def ended(self, device_id: int) -> None:
        """The registration is over."""
        self._break_off(device_id)

    async def stop(self) -> None:
        tasks = [*self._flushing.values(), *self._sending.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _break_off(self, device_id: int) -> None:
        sending = self._sending.get(device_id)
        if sending is not None:
            sending.cancel()

    async def _flush(self, device_id: int) -> None:
        try:
            await self.flush(device_id)
        except Exception as error:  # the database is away: the sweep comes again
            logger.warning("flush_failed device=%d error=%s: %s", device_id, type(error).__name__, error)
        finally:
            self._flushing.pop(device_id, None)
        if device_id in self._again:
            self._again.discard(device_id)
            self.wake(device_id)

    async def flush(self, device_id: int) -> None:
        """Send what waits for the device while it listens."""
        while (ready := await self._database.run(self._claim, device_id)) is not None:
            outcome = await self._deliver(device_id, ready)
            await self._database.run(
                mailbox.settle, command_id=ready.claimed.command_id, outcome=outcome, now=timezone.now()
            )

    def _claim(self, device_id: int) -> _Ready | None:
        """On a database thread: the next command, if its device listens and can be reached from here."""
        now = timezone.now()
        row = Registration.objects.select_related("device").filter(device_id=device_id, is_live=True).first()
        if row is None:
            return None
        facts = _Facts(
            row.queue_mode,
            row.last_seen_at.timestamp(),
            None if row.expires_at is None else row.expires_at.timestamp(),
        )
        listens = presence(facts, now.timestamp(), settings.AWAKE_SECONDS, settings.LIFETIME_GRACE_SECONDS)
        origin = Origin(row.host, row.port, row.transport, row.identity or None)
        route = self._ports.route(Plane.MANAGEMENT, origin)
        if not listens.is_reachable or route is None:
            return None
        detail = RegistrationDetail.objects.filter(device_id=device_id).first()
        claimed = mailbox.claim(device_id=device_id, flow=self._flow, now=now)
        if claimed is None:
            return None
        return _Ready(claimed, _target(detail, row.device.operator_id), *route)

    async def _deliver(self, device_id: int, ready: _Ready) -> Outcome:
        """Send and wait, until the answer, the time-out, or until the device is heard from elsewhere."""
        sending = asyncio.get_running_loop().create_task(self._send(ready), name=f"send to {device_id}")
        self._sending[device_id] = sending
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            if sending.cancelled():
                return Silent("DEVICE_UNREACHABLE", "The device registered anew or moved before it answered.")
            sending.cancel()
            raise
        finally:
            self._sending.pop(device_id, None)

    async def _send(self, ready: _Ready) -> Outcome:
        claimed = ready.claimed
        try:
            path = Path.parse(claimed.path)
            request = operations.request(claimed.operation, path, claimed.arguments, ready.target)
        except Lwm2mError as error:
            return DeviceRefused("", error.cause, error.detail)
        try:
            reply = await self._engine.request(ready.lane, ready.peer, request)
        except NoReply as error:
            if error.is_reset:
                return DeviceRefused("", "COMMAND_REFUSED", error.detail)
            return Silent(error.cause, error.detail)
        code = dotted(reply.code)
        if reply.code >> 5 != 2:
            return DeviceRefused(code, "COMMAND_REFUSED", answers.text(reply.payload[:200]))
        said = answers.read(
            path,
            reply.payload,
            reply.content_format,
            reply.location,
            catalogue=ready.target.catalogue,
            root_path=ready.target.root_path,
        )
        return Done(code, said)


def _target(detail: RegistrationDetail | None, operator_id: int) -> Target:
    """What the device said it is, read with the object models of its operator."""
    known = object_models.catalogue(operator_id)
    if detail is None or not detail.object_links:
        return Target("1.0" if detail is None else detail.version, None, known)
    links = ObjectLinks.from_json(detail.object_links)
    announced = {object_id: link.version for object_id, link in links.objects.items()}
    return Target(detail.version, links, known.for_device(announced, detail.version))

"""The door out: `flush` claims a device's next command, sends it, and settles it, one at a time per device.

A nudge, the device's own Register or Update, and the sweep all lead here. A command is claimed only when the device
listens and there is a way to it, so one that cannot be sent stays queued and costs no attempt.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Hashable
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils import timezone

from devices.models import Operation, Plane, Registration, RegistrationDetail
from devices.outcomes import Claimed, DeviceRefused, Done, Observing, Outcome, Silent
from devices.services import mailbox
from lwm2m import registration
from lwm2m.codes import dotted
from lwm2m.errors import Lwm2mError
from lwm2m.messages import Request
from lwm2m.paths import Path
from lwm2m.presence import presence
from lwm2m.registration import Change, Origin
from southbound import answers, operations, senders
from southbound.database import Database
from southbound.observing import ObservationRepair
from southbound.operations import Target
from southbound.reporting import Reporting
from southbound.tracing import Tracing
from southbound.transports.engine import TOKEN_BYTES, Engine, NoReply, Reply
from southbound.transports.lane import Lane
from southbound.transports.ports import Ports

logger = logging.getLogger(__name__)

_OBSERVES = (Operation.OBSERVE, Operation.OBSERVE_COMPOSITE)
_CANCELS = (Operation.CANCEL_OBSERVE, Operation.CANCEL_OBSERVE_COMPOSITE)


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
    registration_id: str
    token: bytes | None
    is_current: bool = True


class Downlink:
    """`wake` may be called at any time, from the loop."""

    def __init__(
        self,
        *,
        flow: str,
        engine: Engine,
        ports: Ports,
        database: Database,
        reporting: Reporting,
        observing: ObservationRepair,
        tracing: Tracing,
    ) -> None:
        self._flow = flow
        self._engine = engine
        self._ports = ports
        self._database = database
        self._reporting = reporting
        self._observing = observing
        self._tracing = tracing
        self._flushing: dict[int, asyncio.Task[None]] = {}
        self._sending: dict[int, asyncio.Task[Outcome]] = {}
        self._again: set[int] = set()
        self._claiming: set[int] = set()

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
        if outcome.change in (Change.REGISTERED, Change.REPLACED):
            self._observing.registered(device_id)
        elif outcome.change is Change.DEREGISTERED:
            self.ended(device_id)

    def ended(self, device_id: int) -> None:
        """The registration is over."""
        self._break_off(device_id)
        self._observing.ended(device_id)

    async def stop(self) -> None:
        await self._observing.stop()
        tasks = [*self._flushing.values(), *self._sending.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _break_off(self, device_id: int) -> None:
        self._claiming.discard(device_id)
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
        while (ready := await self._claimed(device_id)) is not None:
            is_new = ready.token is not None and ready.claimed.operation in _OBSERVES
            if ready.token is not None and is_new:
                self._reporting.hold(ready.token)
            try:
                outcome = await self._deliver(device_id, ready) if ready.is_current else mailbox.BROKEN_OFF
                await self._database.run(
                    mailbox.settle, command_id=ready.claimed.command_id, outcome=outcome, now=timezone.now()
                )
            finally:
                if ready.token is not None and is_new:
                    self._reporting.release(ready.token)
            if is_new and (outcome is mailbox.BROKEN_OFF or isinstance(outcome, Done)):
                self._observing.repair(device_id)  # it may stand on a registration that is gone (L-21)

    async def _claimed(self, device_id: int) -> _Ready | None:
        """`_claim`, which may have read where the device was just before it registered anew or moved."""
        self._claiming.add(device_id)
        try:
            ready = await self._database.run(self._claim, device_id)
            is_current = device_id in self._claiming
        finally:
            self._claiming.discard(device_id)
        return ready if ready is None or is_current else replace(ready, is_current=False)

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
        return _Ready(
            claimed,
            senders.target(detail, row.device.operator_id),
            *route,
            row.registration_id,
            _token(claimed),
        )

    async def _deliver(self, device_id: int, ready: _Ready) -> Outcome:
        """Send and wait, until the answer, the time-out, or until the device is heard from elsewhere."""
        sending = asyncio.get_running_loop().create_task(self._send(ready), name=f"send to {device_id}")
        self._sending[device_id] = sending
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            if sending.cancelled():
                return mailbox.BROKEN_OFF
            sending.cancel()
            raise
        finally:
            self._sending.pop(device_id, None)

    async def _send(self, ready: _Ready) -> Outcome:
        claimed = ready.claimed
        try:
            path = Path.parse(claimed.path)
            what = (claimed.operation, path, claimed.arguments, ready.target)
            request, first = operations.request(*what), operations.attributes_first(*what)
        except Lwm2mError as error:
            return DeviceRefused("", error.cause, error.detail)
        try:
            if first is not None:
                reply = await self._ask(ready, first)
                if reply.code >> 5 != 2:
                    said = answers.text(reply.payload[:200])
                    detail = f"The device refused the attributes, so it was not asked to observe. {said}"
                    return DeviceRefused(dotted(reply.code), "COMMAND_REFUSED", detail.strip())
            reply = await self._ask(ready, request, token=ready.token)
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
        if reply.observe is not None and ready.token is not None and request.observe == 0:
            return Done(code, said, Observing(ready.registration_id, ready.token.hex(), reply.observe))
        return Done(code, said)

    async def _ask(self, ready: _Ready, request: Request, *, token: bytes | None = None) -> Reply:
        """One request and its answer, both traced. Raises `NoReply`."""
        traced = (ready.claimed.device_id, request, ready.claimed.path, ready.target)
        self._tracing.asked(*traced)
        began = time.monotonic()
        try:
            reply = await self._engine.request(ready.lane, ready.peer, request, token=token)
        except NoReply as error:
            if error.is_reset:
                self._tracing.replied(*traced, None, time.monotonic() - began)
            raise
        self._tracing.replied(*traced, reply, time.monotonic() - began)
        return reply


def _token(claimed: Claimed) -> bytes | None:
    """A new one for what shall be observed; for the end of an observation the one that it has (int-303)."""
    if claimed.operation in _OBSERVES:
        return secrets.token_bytes(TOKEN_BYTES)
    if claimed.operation not in _CANCELS:
        return None
    try:
        return bytes.fromhex(str(claimed.arguments.get("token") or ""))[:TOKEN_BYTES] or None
    except ValueError:
        return None

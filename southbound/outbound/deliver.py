"""The door out: `flush` claims a device's next command, sends it, and settles it, one at a time per device.

For a gateway these are its own commands and those of the devices behind it: the way to them is through it.

A nudge, the device's own Register or Update, and the sweep all lead here. A command is claimed only when the device
listens and there is a way to it, so one that cannot be sent stays queued and costs no attempt.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from devices.commands.models import Operation
from devices.commands.outcomes import DeviceRefused, Done, Observing, Outcome, Silent
from devices.commands.services import mailbox
from lwm2m import registration
from lwm2m.codes import dotted
from lwm2m.errors import Lwm2mError
from lwm2m.messages import Request
from lwm2m.paths import Path
from lwm2m.registration import Change
from southbound.listeners.engine import Engine, NoReply, Reply
from southbound.outbound import answers, operations, outcomes
from southbound.outbound.claims import OBSERVES, Claims, Prolonging, Ready, Settled
from southbound.outbound.gateways import Gateways
from southbound.outbound.observe import ObservationRepair
from southbound.tracing.recorder import Tracing

logger = logging.getLogger(__name__)

LARGE_BYTES = 32_768


class Holds(Protocol):
    """Keeps notifications of an observation back until it is stored whether it stands."""

    def hold(self, token: bytes) -> None: ...

    def release(self, token: bytes) -> None: ...


class CommandDelivery:
    """`wake` may be called at any time, from the loop."""

    def __init__(
        self,
        *,
        engine: Engine,
        claims: Claims,
        holds: Holds,
        observing: ObservationRepair,
        gateways: Gateways,
        tracing: Tracing,
    ) -> None:
        self._engine = engine
        self._claims = claims
        self._holds = holds
        self._observing = observing
        self._gateways = gateways
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
            self._gateways.registered(device_id)
        elif "object_links" in outcome.changed:
            before, after = outcome.previous, outcome.registration
            if before is not None and after is not None:
                self._observing.relisted(device_id, before.object_links, after.object_links)
            self._gateways.relisted(device_id)
        elif outcome.change is Change.DEREGISTERED:
            self.ended(device_id)

    def ended(self, device_id: int) -> None:
        """The registration is over."""
        self._break_off(device_id)
        self._observing.ended(device_id)

    def displaced(self, device_id: int) -> None:
        """Another device has its address: what is on its way there is not for that one."""
        self._break_off(device_id)

    async def stop(self) -> None:
        await self._observing.stop()
        await self._gateways.stop()
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
        ready = await self._taken(device_id)
        while ready is not None:
            claimed = ready.claimed
            is_new = ready.token is not None and claimed.operation in OBSERVES
            if ready.token is not None and is_new:
                self._holds.hold(ready.token)
            try:
                outcome = await self._deliver(device_id, ready) if ready.is_current else mailbox.BROKEN_OFF
                following = await self._taken(
                    device_id, Settled(claimed.device_id, claimed.command_id, outcome, claimed.lease_until)
                )
            finally:
                if ready.token is not None and is_new:
                    self._holds.release(ready.token)
            if is_new and (outcome is mailbox.BROKEN_OFF or isinstance(outcome, Done)):
                self._observing.repair(device_id)  # it may stand on a registration that is gone (L-21)
            self._gateways.settled(device_id, claimed, outcome)
            ready = following

    async def _taken(self, device_id: int, settled: Settled | None = None) -> Ready | None:
        """A turn, which may have read where the device was just before it registered anew or moved."""
        self._claiming.add(device_id)
        try:
            ready = await self._claims.take(device_id, settled)
            is_current = device_id in self._claiming
        finally:
            self._claiming.discard(device_id)
        return ready if ready is None or is_current else replace(ready, is_current=False)

    async def _deliver(self, device_id: int, ready: Ready) -> Outcome:
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

    async def _send(self, ready: Ready) -> Outcome:
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
                refused = outcomes.of_reply(Operation.WRITE_ATTRIBUTES, reply)
                if isinstance(refused, DeviceRefused):
                    detail = (
                        f"The device refused the attributes, so it was not asked to observe. {refused.detail}"
                    )
                    return replace(refused, detail=detail.strip())
                if refused is not None:
                    return refused
            reply = await self._ask(ready, request, token=ready.token)
        except NoReply as error:
            return outcomes.of_silence(error)
        except (
            Exception
        ) as error:  # a mistake of ours: the claim is settled all the same, and the next one leaves
            logger.exception("send_broke device=%d command=%d", claimed.device_id, claimed.command_id)
            return Silent("INTERNAL_ERROR", f"Sending it broke: {type(error).__name__}.")
        if (outcome := outcomes.of_reply(claimed.operation, reply)) is not None:
            return outcome
        code = dotted(reply.code)
        said: Any
        read = partial(
            answers.read,
            claimed.operation,
            path,
            reply.payload,
            reply.content_format,
            reply.location,
            code=reply.code,
            catalogue=ready.target.catalogue,
            root_path=ready.target.root_path,
            prefix=ready.target.prefix,
        )
        # A megabyte of values, such as the list of a large gateway, takes longer than anybody else should wait.
        try:
            said = read() if len(reply.payload) <= LARGE_BYTES else await asyncio.to_thread(read)
        except Exception as error:
            logger.exception("answer_broke device=%d command=%d", claimed.device_id, claimed.command_id)
            said = answers.raw(reply.payload, f"It could not be read: {type(error).__name__}.")
        if reply.observe is not None and ready.token is not None and request.observe == 0:
            return Done(code, said, Observing(ready.registration_id, ready.token.hex(), reply.observe))
        return Done(code, said)

    async def _ask(self, ready: Ready, request: Request, *, token: bytes | None = None) -> Reply:
        """One request and its answer, both traced. Raises `NoReply`."""
        traced = (ready.claimed.device_id, request, ready.claimed.path, ready.target)
        self._tracing.asked(*traced)
        began = time.monotonic()
        try:
            reply = await self._engine.request(
                ready.lane, ready.peer, request, token=token, on_progress=Prolonging(self._claims, ready)
            )
        except NoReply as error:
            if error.is_reset:
                self._tracing.replied(*traced, None, time.monotonic() - began)
            raise
        self._tracing.replied(*traced, reply, time.monotonic() - began)
        return reply

"""The southbound process: ports, the group commit, timers and sweeps on one event loop, started and stopped whole.

`manage.py southbound` runs one; the all-in-one runs it beside the web server. Several processes may share the ports.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from devices.commands import events as command_events
from devices.commands.services import mailbox
from devices.messaging import events as messaging_events
from devices.registry import events as registry_events
from devices.registry import standing_rows
from devices.registry.services import knocks, processes, registrations
from devices.registry.services.knocks import KnockSeen
from devices.registry.services.registrations import Applied
from live import bells
from southbound.counters import Counters, Refusals
from southbound.files.server import FileServer
from southbound.inbound.bootstrap import BootstrapServer
from southbound.inbound.register import RequestHandler
from southbound.inbound.report import Reporting
from southbound.listeners.engine import Engine, Tuning
from southbound.outbound import gateways
from southbound.outbound.claims import Claims
from southbound.outbound.deliver import CommandDelivery
from southbound.outbound.observe import ObservationRepair
from southbound.process.expiry import HORIZON_SECONDS, SCAN_SECONDS, Steps, Timers
from southbound.process.ports import Ports, PortSettings
from southbound.process.takeover import Takeover
from southbound.sms.links import Sms, SmsOptions
from southbound.threads.database import Database
from southbound.threads.guard import Guard
from southbound.tracing.recorder import Tracing

logger = logging.getLogger(__name__)

COUNT_SECONDS = 1.0
HEARTBEAT_SECONDS = processes.HEARTBEAT.total_seconds()
EXPIRY_SECONDS = 0.25
SCAN_LIMIT = 200_000

END_SECONDS = 1.0
SWITCH_SECONDS = 0.0005
"""The loop gets the interpreter back from the writer thread this soon; with the default 5 ms, p99 doubles."""


@dataclass(frozen=True, slots=True)
class Options:
    """How this process differs from others; the defaults are the all-in-one's."""

    number: int | None = None
    shared: bool = False
    tuning: Tuning | None = None
    sweep_seconds: float | None = None
    sms: SmsOptions | None = None


class Southbound:
    """One process's southbound half. `start` raises `sockets.PortUnavailable` with a sentence for a person."""

    def __init__(
        self, *, channel_layer: Any, ports: PortSettings | None = None, options: Options | None = None
    ) -> None:
        self.channel_layer = channel_layer
        self.options = options or Options()
        self.counters = Counters()
        self.guard = Guard()
        self.flow = ""
        self.number = 0
        self._port_settings = ports or PortSettings.from_settings()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._timers = Timers()
        self._steps = Steps(wall=time.time(), counted=time.monotonic())
        self._database = Database()
        self._engine = Engine(tuning=self.options.tuning)

    async def start(self) -> None:
        """Listen, once everything that answers is ready."""
        loop = asyncio.get_running_loop()
        self.guard.start(loop)
        try:
            self.number = await self._database.run(
                processes.free_number, now=timezone.now(), host=_host(), preferred=self.options.number
            )
        except Exception:
            await self._database.close()
            raise
        self.flow = f"southbound.{self.number}.{secrets.token_hex(6)}"
        self.ports = Ports(
            self._port_settings,
            counters=self.counters,
            engine=self._engine,
            database=self._database,
            number=self.number,
            shared=self.options.shared,
        )
        self.files = FileServer(
            self._port_settings.address,
            self._port_settings.coap_files,
            shared=self.options.shared,
            counters=self.counters,
            database=self._database,
        )
        try:
            self.files.bind()
            self.ports.bind()
        except Exception:
            self.files.close()
            await self._database.close()
            raise
        bells.start()
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()  # what stands now stands until the end: a full collection need not walk it, for 50 ms and more
        self._engine.start(loop)
        repair = ObservationRepair(self._database)
        self.tracing = Tracing(counters=self.counters, database=self._database, guard=self.guard)
        self.reporting = Reporting(
            counters=self.counters,
            on_heard=lambda device_id: self.delivery.wake(device_id),
            on_stray=repair.repair,
            on_told=repair.repair,
            tracing=self.tracing,
            guard=self.guard,
        )
        self._engine.on_notification = self.reporting.notification
        self.sms = Sms(
            flow=self.flow,
            counters=self.counters,
            engine=self._engine,
            database=self._database,
            options=self.options.sms,
            guard=self.guard,
        )
        self.ports.sms = self.sms
        self.gateways = gateways.Gateways(self._database, on_told=repair.repair)
        self.claims = Claims(
            flow=self.flow,
            ways=self.ports,
            counters=self.counters,
            patience=self.sms.tuning.patience,
            guard=self.guard,
        )
        self.delivery = CommandDelivery(
            engine=self._engine,
            claims=self.claims,
            holds=self.reporting,
            observing=repair,
            gateways=self.gateways,
            tracing=self.tracing,
        )
        self.takeover = Takeover(
            flow=self.flow,
            host=_host(),
            ports=self.ports,
            database=self._database,
            on_adopted=self.delivery.wake,
        )
        self._engine.on_empty = self.takeover.answered
        self.bootstrap = BootstrapServer(engine=self._engine, database=self._database)
        self.requests = RequestHandler(
            flow=self.flow,
            counters=self.counters,
            on_applied=self._applied,
            on_bootstrap=self.bootstrap.request,
            reporting=self.reporting,
            tracing=self.tracing,
            guard=self.guard,
        )
        self.bootstrap.requests = self.requests
        self.requests.commits.start(loop)
        self.reporting.commits.start(loop)
        self.claims.commits.start(loop)
        self.tracing.start()
        await self._announce()
        await self._scan()
        others = await self._database.run(processes.living, host=_host(), now=timezone.now())
        await self.ports.start(
            loop, self.requests.take, others={row.number for row in others if row.flow != self.flow}
        )
        self.files.start(loop, self.tracing)
        await self.takeover.take_up()
        await self.sms.start(self.requests.take)
        for work in (self._listen, self._beat, self._count, self._sweep, self._expire, self._rescan):
            self._tasks.append(loop.create_task(self._keep(work), name=f"southbound {work.__name__}"))
            self.guard.watch(self._tasks[-1])

    async def stop(self) -> None:
        """Within three seconds: read no more, finish the commit in flight, answer it, keep the DTLS sessions."""
        self.guard.stand_down()
        self.ports.pause()
        self.files.pause()
        await self._end_tasks()
        await self.takeover.stop()
        await self.bootstrap.stop()
        await self.delivery.stop()
        await asyncio.gather(
            self.requests.commits.stop(timeout_seconds=1.5),
            self.reporting.commits.stop(timeout_seconds=1.5),
            self.claims.commits.stop(timeout_seconds=1.5),
        )
        await self.tracing.stop()
        await self._quietly(self.files.stop())
        await self._quietly(self.sms.stop())
        self._engine.stop()
        await self.ports.stop()
        await self._quietly(self._database.run(self._last_words))
        await self._database.close()
        # Off the loop: the in-process channel layer hands the last messages over to this very loop.
        await asyncio.to_thread(bells.stop)

    async def _end_tasks(self) -> None:
        """Cancel until all have ended: a channel layer that is just subscribing can swallow a cancellation."""
        self._stopping = True
        pending = set(self._tasks)
        deadline = time.monotonic() + END_SECONDS
        while pending and time.monotonic() < deadline:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)

    def _last_words(self) -> None:
        now = timezone.now()
        knocks.count(knocks=_knocks(self.counters.take()), now=now)
        mailbox.release(flow=self.flow, now=now)
        processes.retire(flow=self.flow)

    def _applied(self, applied: Applied) -> None:
        """A registration message was stored and answered."""
        device_id = applied.device_id
        if device_id is None:
            return
        after = applied.outcome.registration
        ends_at = None if after is None else after.expires_at
        if ends_at is not None:
            ends_at += settings.LIFETIME_GRACE_SECONDS
        self._timers.note(device_id, ends_at, now=time.time())
        for other_id in applied.displaced:
            self.delivery.displaced(other_id)
        self.delivery.heard(device_id, applied.outcome)
        if applied.has_waiting and after is not None:
            self.delivery.wake(device_id)

    # -- standing tasks --------------------------------------------------------------------------------------
    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run one standing task for ever; a failure (the database is away) is logged and tried again."""
        while not self._stopping:
            try:
                await work()
            except Exception as error:
                logger.warning("task_failed task=%s error=%s: %s", work.__name__, type(error).__name__, error)
                await asyncio.sleep(1.0)

    async def _quietly(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except Exception as error:
            logger.warning("stop_incomplete error=%s: %s", type(error).__name__, error)

    async def _listen(self) -> None:
        """Nudges for devices whose flow is ours, and keys that were taken back."""
        message = await self.channel_layer.receive(self.flow)
        if message.get("type") == command_events.NUDGE and isinstance(message.get("device_id"), int):
            self.delivery.wake(message["device_id"])
        elif message.get("type") == registry_events.SESSIONS_ENDED:
            self.ports.end_sessions(n for n in message.get("credential_ids", ()) if isinstance(n, int))
        elif message.get("type") in (messaging_events.SMS_WAITS, messaging_events.LINK_CHANGED):
            self.sms.hear(message)

    async def _announce(self) -> None:
        await self._database.run(
            processes.announce,
            flow=self.flow,
            number=self.number,
            pid=os.getpid(),
            host=_host(),
            now=timezone.now(),
        )

    async def _beat(self) -> None:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        if not await self._database.run(processes.heartbeat, flow=self.flow, now=timezone.now()):
            await self._announce()

    async def _count(self) -> None:
        await asyncio.sleep(COUNT_SECONDS)
        seen = _knocks(self.counters.take())
        if seen:
            await self._database.run(knocks.count, knocks=seen, now=timezone.now())

    async def _sweep(self) -> None:
        """What a lost nudge left behind; what one part of it cannot do keeps none of the others."""
        await asyncio.sleep(self.options.sweep_seconds or settings.SWEEP_SECONDS)
        for part in (self._expire_commands, self._sweep_gateways, self._flush_waiting, self.takeover.sweep):
            try:
                await part()
            except Exception as error:
                name = part.__qualname__
                logger.warning("sweep_failed part=%s error=%s: %s", name, type(error).__name__, error)

    async def _expire_commands(self) -> None:
        await self._database.run(mailbox.expire_overdue, now=timezone.now())

    async def _sweep_gateways(self) -> None:
        await self._database.run(gateways.sweep, now=timezone.now())

    async def _flush_waiting(self) -> None:
        waiting = await self._database.run(
            mailbox.waiting_devices, self.flow, now=timezone.now(), sms_operators=self.sms.bound()
        )
        for device_id in waiting:
            self.delivery.wake(device_id)

    async def _expire(self) -> None:
        await asyncio.sleep(EXPIRY_SECONDS)
        await self._keep_lifetimes()
        ripe = self._timers.due(now=time.time())
        if ripe:
            ended = await self._database.run(
                registrations.expire,
                device_ids=ripe,
                now=timezone.now(),
                grace_seconds=settings.LIFETIME_GRACE_SECONDS,
            )
            for device_id in ended:
                self.delivery.ended(device_id)

    async def _keep_lifetimes(self) -> None:
        """A wall clock that is set, by NTP or by hand, ends no registration and prolongs none."""
        step = self._steps.seen(wall=time.time(), counted=time.monotonic())
        if not step:
            return
        now = timezone.now()
        await self._database.run(processes.heartbeat, flow=self.flow, now=now)
        moved = await self._database.run(registrations.shift, flow=self.flow, seconds=step, now=now)
        logger.warning("wall_clock_stepped seconds=%.0f registrations=%d", step, moved)

    async def _rescan(self) -> None:
        await asyncio.sleep(SCAN_SECONDS)
        await self._scan()
        await self.ports.end_unusable()

    async def _scan(self) -> None:
        horizon = timezone.now() + timedelta(seconds=HORIZON_SECONDS)
        now = time.time()
        for device_id, ends_at in await self._database.run(
            standing_rows.overdue, before=horizon, limit=SCAN_LIMIT
        ):
            self._timers.note(device_id, ends_at + settings.LIFETIME_GRACE_SECONDS, now=now)


def _knocks(refusals: Iterable[Refusals]) -> list[KnockSeen]:
    return [
        KnockSeen(
            plane=one.plane,
            cause=one.cause,
            claimed_name=one.claimed_name,
            host=one.host,
            detail=one.detail,
            device_id=one.device_id,
            count=one.count,
            operator_id=one.operator_id,
        )
        for one in refusals
    ]


def _host() -> str:
    return socket.gethostname()[:120]

"""The SMS half of a southbound process: which operators' links it holds, and what keeps them going.

Each link is held by one process, by a lease. Whoever takes one over drops what died with the process before, works off
what was acknowledged and not answered, and binds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.errors import Refused
from coap import Reason, Tuning
from devices.commands.services import takeover
from devices.messaging import events
from devices.messaging.services import sms_inbox, sms_joining, sms_outbox, sms_settling, smsc_links, triggers
from devices.messaging.services.sms_inbox import Whole
from devices.messaging.services.sms_outbox import Settled, ToSend
from devices.messaging.services.smsc_links import Link
from southbound.counters import Counters
from southbound.listeners.engine import Engine
from southbound.listeners.lane import Exchange, Lane
from southbound.sms import traffic, tuning
from southbound.sms.held_link import Desk, HeldLink
from southbound.sms.lane import SmsLane, SmsPeer
from southbound.sms.smpp_link import Patience
from southbound.sms.traffic import SmsTraffic
from southbound.threads.database import Database
from southbound.threads.guard import Guard

logger = logging.getLogger(__name__)

MAX_IN_FLIGHT = 2_000
AGAIN_SECONDS = 30.0
"""What was not worked off for so long is tried again: its store had failed."""
FEED_LIMIT = 1_000
JOIN_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class SmsOptions:
    """How patient; tests take fractions of seconds."""

    tuning: Tuning | None = None
    patience: Patience | None = None
    renew_seconds: float = smsc_links.RENEW.total_seconds()
    care_seconds: float = 2.0


def usual_tuning() -> Tuning:
    """As set by the environment."""
    return tuning.sms(
        ack_seconds=settings.SMS_ACK_SECONDS,
        repetitions=settings.SMS_REPETITIONS,
        response_seconds=settings.SMS_RESPONSE_SECONDS,
    )


class Sms:
    """`route` leads to devices; `start` and `stop` are awaited once."""

    def __init__(
        self,
        *,
        flow: str,
        counters: Counters,
        engine: Engine,
        database: Database,
        options: SmsOptions | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._guard = guard or Guard()
        self._flow = flow
        self._counters = counters
        self._engine = engine
        self._database = database
        self._options = options or SmsOptions()
        self.tuning = self._options.tuning or usual_tuning()
        self._held: dict[int, HeldLink] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._renewed_at = 0.0
        self._bell = asyncio.Event()
        self.lane: SmsLane | None = None
        self._look_at: dict[int, float] = {}
        self.traffic = SmsTraffic(
            flow=flow,
            counters=counters,
            on_whole=self._whole,
            on_parts=self._parts_came,
            on_queued=self._queued,
            guard=guard,
        )

    async def start(self, take: Callable[[Exchange], None]) -> None:
        self.lane = SmsLane(
            send=self.traffic.send,
            on_handled=self.traffic.handled,
            on_unreadable=self.traffic.unreadable,
            take=take,
            engine=self._engine,
            counters=self._counters,
            tuning=self.tuning,
        )
        loop = asyncio.get_running_loop()
        self.traffic.incoming.start(loop)
        self.traffic.leaving.start(loop)
        try:
            await self._database.run(smsc_links.ensure_default)
        except Refused as error:
            logger.warning("smpp_url_unusable detail=%s", error.recorded)
        for work in (self._lease, self._care, self._join):
            self._tasks.append(loop.create_task(self._keep(work), name=f"sms {work.__name__}"))
            self._guard.watch(self._tasks[-1])

    async def stop(self) -> None:
        """Take nothing more in, leave politely, finish what is written, and free the links."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(held.stop() for held in self._held.values()))
        await asyncio.gather(
            self.traffic.incoming.stop(timeout_seconds=1.0), self.traffic.leaving.stop(timeout_seconds=1.0)
        )
        if self._held:
            self._held.clear()
            await self._database.run(smsc_links.release, holder=self._flow, now=timezone.now())

    # -- for others ------------------------------------------------------------------------------------------
    def route(self, operator_id: int | None, msisdn: str | None) -> tuple[Lane, Hashable] | None:
        """The way to a number, if this process holds its operator's link and that is up."""
        held = self._held.get(operator_id or 0)
        if held is None or self.lane is None or not msisdn or not held.link.is_bound:
            return None
        return self.lane, SmsPeer(held.link.link.operator_id, msisdn)

    def bound(self) -> list[int]:
        """The operators whose links are up here."""
        return [operator_id for operator_id, held in self._held.items() if held.link.is_bound]

    def hear(self, message: dict[str, Any]) -> None:
        """What other rooms say about SMS."""
        held = self._held.get(message.get("operator_id", 0))
        if message.get("type") == events.SMS_WAITS and held is not None:
            held.sender.wake()
        elif message.get("type") == events.LINK_CHANGED:
            if held is not None:
                held.wants_bind = True
            self._bell.set()

    # -- traffic ---------------------------------------------------------------------------------------------
    def _whole(self, operator_id: int, whole: Whole) -> None:
        if self.lane is not None:
            self.lane.take_in(SmsPeer(operator_id, whole.msisdn), whole.payload, whole.part_ids)

    def _parts_came(self, operator_id: int, after: timedelta = sms_joining.SETTLE) -> None:
        """Look whether messages are whole, then."""
        at = asyncio.get_running_loop().time() + after.total_seconds()
        self._look_at[operator_id] = min(at, self._look_at.get(operator_id, at))

    def _queued(self, operator_id: int) -> None:
        held = self._held.get(operator_id)
        if held is not None:
            held.sender.wake()

    # -- standing tasks --------------------------------------------------------------------------------------
    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:
                logger.warning("task_failed task=%s error=%s: %s", work.__name__, type(error).__name__, error)
                await asyncio.sleep(1.0)

    async def _lease(self) -> None:
        """Hold what may be held; without the database let everything go before somebody else takes it."""
        self._bell.clear()
        try:
            links = await self._database.run(
                smsc_links.hold, holder=self._flow, host=_host(), now=timezone.now()
            )
        except Exception:
            if time.monotonic() - self._renewed_at > smsc_links.LEASE.total_seconds():
                await self._adjust([])
            raise
        self._renewed_at = time.monotonic()
        await self._adjust(links)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.renew_seconds):
                await self._bell.wait()

    async def _adjust(self, links: list[Link]) -> None:
        wanted = {link.operator_id: link for link in links}
        for operator_id, held in list(self._held.items()):
            if held.is_dead:
                logger.error("smpp_link_died operator=%d", operator_id)
            if held.is_dead or wanted.get(operator_id) != held.link.link:
                del self._held[operator_id]
                await held.stop()
            elif held.wants_bind:
                held.wants_bind = False
                held.link.bind_now()
        for operator_id, link in wanted.items():
            if operator_id not in self._held:
                await self._take_over(link)

    async def _take_over(self, link: Link) -> None:
        now = timezone.now()
        await self._database.run(
            sms_outbox.drop_dead, operator_id=link.operator_id, holder=self._flow, now=now
        )
        await self._database.run(takeover.give_back, flow=self._flow, host=_host(), now=now)
        desk = Desk(self._claim, self._tell, self._unsent)
        held = HeldLink(link, desk=desk, traffic=self.traffic, patience=self._options.patience)
        self._held[link.operator_id] = held
        await self._feed(link.operator_id, timedelta(0))
        self._parts_came(link.operator_id, timedelta(0))
        held.start()
        logger.info("smpp_link_taken operator=%d", link.operator_id)

    async def _care(self) -> None:
        """What is due now and then: time-outs, receipts that came early, answers to triggers, lost messages."""
        await asyncio.sleep(self._options.care_seconds)
        for operator_id in list(self._held):
            now = timezone.now()
            early = self.traffic.take_early(operator_id)
            unknown = await self._database.run(_look_after, operator_id, [r for r, _ in early])
            self.traffic.still_unknown(operator_id, [(r, tries) for r, tries in early if r in unknown])
            await self._database.run(triggers.look_up, operator_id=operator_id, now=now)
            await self._feed(operator_id, timedelta(seconds=AGAIN_SECONDS))

    async def _join(self) -> None:
        """Messages of several SMS, once their parts are quiet."""
        await asyncio.sleep(JOIN_SECONDS)
        now = asyncio.get_running_loop().time()
        for operator_id in [each for each, at in self._look_at.items() if at <= now]:
            del self._look_at[operator_id]
            try:
                found = await self._database.run(traffic.ripe, operator_id, timezone.now())
            except Exception:
                self._parts_came(operator_id)
                raise
            self.traffic.joined(operator_id, found)
            if found.due_at is not None:
                self._parts_came(operator_id, found.due_at - timezone.now())

    async def _feed(self, operator_id: int, age: timedelta) -> None:
        """Work off what was stored and not answered."""
        assert self.lane is not None
        if self.lane.in_flight >= MAX_IN_FLIGHT:
            return
        left = await self._database.run(
            sms_inbox.unhandled, operator_id=operator_id, before=timezone.now() - age, limit=FEED_LIMIT
        )
        for whole in left:
            self._whole(operator_id, whole)

    # -- of a link -------------------------------------------------------------------------------------------
    def _unsent(self, operator_id: int, settled: Settled) -> None:
        """Whoever waits for the answer is told at once: waiting, or sending it again, would end in the same way."""
        if self.lane is not None:
            peer = SmsPeer(operator_id, settled.sent.msisdn)
            self._engine.fail(self.lane, peer, settled.detail, Reason.REFUSED)

    async def _claim(self, operator_id: int, limit: int) -> list[ToSend]:
        return await self._database.run(
            sms_outbox.claim, operator_id=operator_id, holder=self._flow, limit=limit, now=timezone.now()
        )

    async def _tell(self, operator_id: int, state: str, cause: str, detail: str) -> None:
        await self._database.run(
            smsc_links.tell,
            operator_id=operator_id,
            holder=self._flow,
            state=state,
            now=timezone.now(),
            cause=cause,
            detail=detail,
        )


def _host() -> str:
    return socket.gethostname()[:120]


def _look_after(operator_id: int, early: list[sms_outbox.Receipt]) -> list[sms_outbox.Receipt]:
    now = timezone.now()
    sms_outbox.expire(operator_id=operator_id, now=now)
    sms_inbox.give_up(operator_id=operator_id, now=now)
    return sms_settling.receipts(operator_id=operator_id, said=early, now=now)

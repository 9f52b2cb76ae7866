"""One operator's SMSC link while this process holds it: the connection, what is sent over it, and what the row says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import smpp
from devices.messaging.models import LinkState, SmsPurpose, SmsState
from devices.messaging.services.sms_outbox import Settled, ToSend
from devices.messaging.services.smsc_links import Link
from southbound.sms.sender import SmsSender
from southbound.sms.smpp_link import Patience, SmppLink
from southbound.sms.traffic import SmsTraffic

logger = logging.getLogger(__name__)

TELL_SECONDS = 2.0
AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Desk:
    """What a link needs of the database; the first argument is the operator's id."""

    claim: Callable[[int, int], Awaitable[list[ToSend]]]
    tell: Callable[[int, str, str, str], Awaitable[None]]
    unsent: Callable[[int, Settled], None]
    """A request that the SMSC will never take."""


class HeldLink:
    """`start` and `stop` once each; the methods `link_...` are what the connection tells."""

    def __init__(self, link: Link, *, desk: Desk, traffic: SmsTraffic, patience: Patience | None) -> None:
        self._desk = desk
        self._traffic = traffic
        self._operator_id = link.operator_id
        self._wants_receipts = link.wants_receipts
        self._states: asyncio.Queue[tuple[str, str, str] | None] = asyncio.Queue()
        self._teller: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.wants_bind = False
        self.link = SmppLink(link, self, patience=patience)
        self.sender = SmsSender(self.link, claim=self._claim, settle=self._settle)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        for work in (self.link.run, self.sender.run):
            name = f"smpp {work.__name__} {self._operator_id}"
            self._tasks.append(loop.create_task(work(), name=name))
        self._teller = loop.create_task(self._tell(), name=f"smpp tell {self._operator_id}")

    @property
    def is_dead(self) -> bool:
        """A part of it ended that should not; whoever holds it begins anew."""
        return any(task.done() for task in self._tasks)

    async def stop(self) -> None:
        await self.link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.sender.lost()
        if self._teller is not None:
            # What is being written now must not be written after what the next holder says.
            self._states.put_nowait(None)
            await asyncio.wait([self._teller], timeout=TELL_SECONDS)
            self._teller.cancel()

    async def _tell(self) -> None:
        """Each state, in order; one that could not be written again and again, until there is a newer one."""
        while (said := await self._states.get()) is not None:
            try:
                await self._desk.tell(self._operator_id, *said)
            except Exception as error:
                logger.warning("smpp_state_untold error=%s: %s", type(error).__name__, error)
                await asyncio.sleep(AGAIN_SECONDS)
                if self._states.empty():
                    self._states.put_nowait(said)

    def _settle(self, settled: Settled) -> None:
        self._traffic.settle(settled, wants_receipts=self._wants_receipts)
        if settled.state == SmsState.REFUSED and settled.sent.purpose == SmsPurpose.REQUEST:
            self._desk.unsent(self._operator_id, settled)

    async def _claim(self, limit: int) -> list[ToSend]:
        return await self._desk.claim(self._operator_id, limit)

    # -- what the link says ----------------------------------------------------------------------------------
    def link_state(self, state: str, cause: str, detail: str) -> None:
        self._states.put_nowait((state, cause, detail))
        if state == LinkState.BOUND:
            self.sender.wake()
        else:
            self.sender.lost()

    def link_received(self, handle: int, body: smpp.Carrier) -> None:
        acknowledge = self.link.acknowledger(handle)
        self._traffic.received(self._operator_id, body, acknowledge)

    def link_answered(self, event: smpp.Answered | smpp.Unanswered) -> None:
        self.sender.answered(event)

    def link_room(self) -> None:
        self.sender.room()

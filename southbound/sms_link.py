"""One operator's SMSC link while this process holds it: the connection, what is sent over it, and what the row says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import smpp
from devices.messaging import LinkState
from devices.services.sms_outbox import Settled, ToSend
from devices.services.smsc_links import Link
from southbound.sms_traffic import SmsTraffic
from southbound.transports.smpp_link import Patience, SmppLink
from southbound.transports.sms_sender import SmsSender

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a link needs of the database; the first argument is the operator's id."""

    claim: Callable[[int, int], Awaitable[list[ToSend]]]
    tell: Callable[[int, str, str, str], Awaitable[None]]


class HeldLink:
    """`start` and `stop` once each; the methods `link_...` are what the connection tells."""

    def __init__(self, link: Link, *, desk: Desk, traffic: SmsTraffic, patience: Patience | None) -> None:
        self._desk = desk
        self._traffic = traffic
        self._operator_id = link.operator_id
        self._wants_receipts = link.wants_receipts
        self._states: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.wants_bind = False
        self.link = SmppLink(link, self, patience=patience)
        self.sender = SmsSender(self.link, claim=self._claim, settle=self._settle)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        for work in (self.link.run, self.sender.run, self._tell):
            name = f"smpp {work.__name__} {self._operator_id}"
            self._tasks.append(loop.create_task(work(), name=name))

    async def stop(self) -> None:
        await self.link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.sender.lost()

    async def _tell(self) -> None:
        while True:
            said = await self._states.get()
            try:
                await self._desk.tell(self._operator_id, *said)
            except Exception as error:  # the next state is told again
                logger.warning("smpp_state_untold error=%s: %s", type(error).__name__, error)

    def _settle(self, settled: Settled) -> None:
        self._traffic.settle(settled, wants_receipts=self._wants_receipts)

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

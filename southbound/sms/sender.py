"""From the outbox to the SMSC: claims what waits for one link, submits it part by part, and says how it went.

The parts of one message go one after the other, so that after a refusal no part that was taken is sent again; the
window is for different messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from django.utils import timezone

import smpp
from devices.messaging.models import SmsState
from devices.messaging.services.sms_outbox import Settled, ToSend, reference
from southbound.sms.smpp_link import SmppLink

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0
"""What a lost bell left behind, and what was put off."""
SLOWER_SECONDS, RETRY_SECONDS, LONGEST_RETRY_SECONDS = 2.0, 5.0, 300.0
_UNKNOWN = "The SMSC may have taken it: "


class _Progress:
    __slots__ = ("at", "ids", "parts", "sent")

    def __init__(self, sent: ToSend) -> None:
        self.sent = sent
        self.parts = smpp.split(sent.payload, reference=reference(sent.message_id))
        self.at = sent.parts_sent
        self.ids: list[str] = []


class SmsSender:
    """`claim` gets the next rows, `settle` writes how one went. `run` is a task of its own."""

    def __init__(
        self,
        link: SmppLink,
        *,
        claim: Callable[[int], Awaitable[list[ToSend]]],
        settle: Callable[[Settled], None],
    ) -> None:
        self._link = link
        self._claim = claim
        self._settle = settle
        self._source = smpp.Address.parse(link.link.address)
        self._addressing = smpp.Addressing(link.link.addressing)
        self._ready: deque[_Progress] = deque()
        self._under_way: dict[int, _Progress] = {}
        self._bell = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._may_be_more = True

    def wake(self) -> None:
        """There is something in the outbox."""
        self._may_be_more = True
        self._bell.set()

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):  # `wait_for` can swallow the cancellation
                    await self._bell.wait()
            except TimeoutError:
                self._may_be_more = True
            self._bell.clear()
            try:
                await self._work()
            except Exception as error:  # the database is away
                logger.warning("sms_claim_failed error=%s: %s", type(error).__name__, error)
                self._may_be_more = True

    def room(self) -> None:
        """The link takes more."""
        self._submit()
        if self._may_be_more and not self._ready:
            self._bell.set()

    def lost(self) -> None:
        """The link is gone: what was not submitted waits in the outbox for the next."""
        for progress in self._ready:
            self._end(progress, SmsState.QUEUED, again_at=timezone.now())
        self._ready.clear()

    async def _work(self) -> None:
        window = self._link.link.window
        while self._may_be_more and self._link.is_bound and len(self._ready) < window:
            self._may_be_more = False
            limit = 2 * window - len(self._ready)
            claimed = await self._claim(limit)
            self._may_be_more = self._may_be_more or len(claimed) == limit
            self._ready += [_Progress(sent) for sent in claimed]
            if not self._link.is_bound:
                self.lost()
            self._submit()

    def _submit(self) -> None:
        while self._ready and self._link.room() > 0:
            progress = self._ready.popleft()
            now = timezone.now()
            if progress.sent.expires_at <= now:
                self._end(progress, SmsState.EXPIRED, cause="SMS_EXPIRED")
                continue
            try:
                message = self._message(progress, now)
                self._under_way[progress.sent.message_id] = progress
                self._link.submit(message, progress.sent.message_id)
            except smpp.SmppError as error:
                self._under_way.pop(progress.sent.message_id, None)
                self._end(progress, SmsState.REFUSED, cause="SMS_REFUSED", detail=str(error))
        if self._ready and self._link.is_bound:
            self._wait_for_the_rate()

    def _message(self, progress: _Progress, now: datetime) -> smpp.SubmitSm:
        return smpp.submit_sm(
            progress.parts[progress.at],
            source=self._source,
            destination=smpp.Address.parse(progress.sent.msisdn),
            addressing=self._addressing,
            wants_receipt=self._link.link.wants_receipts,
            validity_seconds=(progress.sent.expires_at - now).total_seconds(),
        )

    def _wait_for_the_rate(self) -> None:
        seconds = self._link.room_in()
        if seconds is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._rate_allows)

    def _rate_allows(self) -> None:
        self._timer = None
        self._submit()

    def answered(self, event: smpp.Answered | smpp.Unanswered) -> None:
        """The SMSC took a part, did not, or never said."""
        progress = self._under_way.pop(int(str(event.key)), None)
        if progress is None:  # too late: it was given up
            return
        if isinstance(event, smpp.Unanswered):
            detail = f"{_UNKNOWN}{event.reason}"
            self._end(progress, SmsState.DROPPED, cause="SMSC_UNREACHABLE", detail=detail)
            return
        said = smpp.describe(event.status)
        match event.outcome:
            case smpp.Class.OK:
                progress.ids.append(event.message_id)
                progress.at += 1
                if progress.at < len(progress.parts):
                    self._ready.appendleft(progress)
                else:
                    self._end(progress, SmsState.SENT)
            case smpp.Class.NEVER:
                self._end(progress, SmsState.REFUSED, cause="SMS_REFUSED", detail=said)
            case smpp.Class.SLOWER:
                self._again(progress, SLOWER_SECONDS, said)
            case smpp.Class.RETRY:
                pause = RETRY_SECONDS * 2.0 ** min(progress.sent.attempts - 1, 10)
                self._again(progress, min(pause, LONGEST_RETRY_SECONDS), said)
            case smpp.Class.FATAL:
                self._again(progress, RETRY_SECONDS, said)
                self._link.bind_now()

    def _again(self, progress: _Progress, seconds: float, said: str) -> None:
        again_at = timezone.now() + timedelta(seconds=seconds)
        self._end(progress, SmsState.QUEUED, detail=said, again_at=again_at)

    def _end(
        self,
        progress: _Progress,
        state: SmsState,
        *,
        cause: str = "",
        detail: str = "",
        again_at: datetime | None = None,
    ) -> None:
        self._settle(Settled(progress.sent, state, tuple(progress.ids), cause, detail, again_at))

"""SMS and the database: parts stored before the SMSC is told so, messages queued before they leave.

Two group commits. One takes what came in: parts and receipts, acknowledged once they are committed. The other takes
what goes out, and in the same order what is thereby worked off and what the SMSC said.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

import smpp
from audit import ledger
from devices.messaging import SmsPurpose
from devices.models import Reach
from devices.services import sms_inbox, sms_outbox, sms_settling, triggers
from devices.services.sms_inbox import Part, Refused, Whole
from devices.services.sms_outbox import Outgoing, Receipt, Settled
from lwm2m import trigger
from southbound.counters import Counters
from southbound.group_commit import GroupCommit
from southbound.guard import Guard
from southbound.transports.coap import ACK
from southbound.transports.sms_lane import SmsPeer

logger = logging.getLogger(__name__)

MAX_RECEIPTS_WAITING = 1000
RECEIPT_TRIES = 5

Acknowledge = Callable[[int], None]
"""Tells the SMSC with which status its message was taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Came:
    """A message of the SMSC: a part of a device's, or a receipt."""

    operator_id: int
    what: Part | Receipt
    acknowledge: Acknowledge


@dataclass(frozen=True, slots=True)
class Kept:
    """It is stored. `whole` are the messages that its batch made whole, with the first of its operator."""

    refused: Refused | None = None
    whole: Sequence[Whole] = ()
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Handled:
    """These parts are worked off."""

    part_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Receipts:
    """Receipts that were told before it was written what they are about."""

    operator_id: int
    waiting: list[tuple[Receipt, int]] = field(default_factory=list)


Leaving = Outgoing | Handled | tuple[Settled, bool]


class SmsTraffic:
    """`on_whole` gets messages to work off, `on_queued` the operator in whose outbox something is."""

    def __init__(
        self,
        *,
        flow: str,
        counters: Counters,
        on_whole: Callable[[int, Whole], None],
        on_queued: Callable[[int], None],
        guard: Guard | None = None,
    ) -> None:
        self._flow = flow
        self._counters = counters
        self._on_whole = on_whole
        self._on_queued = on_queued
        self._early: dict[int, _Receipts] = {}
        self.incoming: GroupCommit[Came, Kept] = GroupCommit(
            name="sms-in",
            write=self._store,
            answer=self._stored,
            follow=self._look_into,
            counters=counters,
            guard=guard,
        )
        self.leaving: GroupCommit[Leaving, bool] = GroupCommit(
            name="sms-out", write=self._queue, answer=self._queued, counters=counters, guard=guard
        )

    # -- on the loop -----------------------------------------------------------------------------------------
    def received(self, operator_id: int, body: smpp.Carrier, acknowledge: Acknowledge) -> None:
        """A message of the SMSC. What nobody can make use of is acknowledged, or it would come again for ever."""
        try:
            what = _receipt(body) if smpp.is_receipt(body) else self._part(operator_id, body)
        except smpp.NotBinary:
            what = None
        except smpp.Malformed:
            self._counters.malformed += 1
            what = None
        if what is None:
            acknowledge(smpp.Status.OK)
        elif not self.incoming.submit(Came(operator_id, what, acknowledge)):
            acknowledge(smpp.Status.RX_T_APPN)

    def _part(self, operator_id: int, body: smpp.Carrier) -> Part | None:
        part = smpp.part_of(body)
        msisdn = body.source.msisdn
        if msisdn is None:
            self._refuse(operator_id, Refused("MSISDN_UNKNOWN"), str(body.source)[:20])
            return None
        if part.concat is None:
            return Part(msisdn, part.payload)
        concat = part.concat
        return Part(msisdn, part.payload, concat.reference, concat.number, concat.total)

    def _refuse(self, operator_id: int, refused: Refused, number: str) -> None:
        """Nothing is answered: each answer would cost, and a stranger could ask for as many as it likes."""
        detail = f"An SMS from {number}."
        self._counters.refused(
            "management", refused.cause, number, number, detail, refused.device_id, operator_id
        )

    def send(self, peer: SmsPeer, data: bytes, is_request: bool, seconds: float) -> None:
        """Queue a message for a device."""
        purpose = SmsPurpose.REQUEST if is_request else SmsPurpose.RESPONSE
        until = timezone.now() + timedelta(seconds=seconds)
        outgoing = Outgoing(peer.operator_id, peer.msisdn, data, purpose, until, self._flow)
        if not self.leaving.submit(outgoing):
            self._counters.unsent += 1

    def handled(self, part_ids: Sequence[int]) -> None:
        """Worked off: written behind the answer."""
        self.leaving.submit(Handled(tuple(part_ids)))

    def settle(self, settled: Settled, *, wants_receipts: bool) -> None:
        """What the SMSC said to a message."""
        self.leaving.submit((settled, wants_receipts))

    # -- in, on the writer thread ----------------------------------------------------------------------------
    def _store(self, batch: Sequence[Came]) -> list[Kept]:
        now = timezone.now()
        by_operator: dict[int, list[int]] = defaultdict(list)
        for index, came in enumerate(batch):
            by_operator[came.operator_id].append(index)
        kept = [Kept()] * len(batch)
        with ledger.unit_of_work():
            for operator_id, indexes in sorted(by_operator.items()):
                self._store_parts(operator_id, batch, indexes, kept, now)
                self._store_receipts(operator_id, batch, indexes, kept, now)
        return kept

    def _store_parts(
        self, operator_id: int, batch: Sequence[Came], indexes: list[int], kept: list[Kept], now: datetime
    ) -> None:
        mine = [(i, what) for i in indexes if isinstance(what := batch[i].what, Part)]
        if not mine:
            return
        stored = sms_inbox.store(operator_id=operator_id, parts=[part for _, part in mine], now=now)
        for (index, _), refused in zip(mine, stored.refused, strict=True):
            kept[index] = Kept(refused)
        wanted = [each for each in stored.whole if not _answers_a_trigger(operator_id, each, now)]
        first = mine[0][0]
        kept[first] = Kept(kept[first].refused, wanted)

    def _store_receipts(
        self, operator_id: int, batch: Sequence[Came], indexes: list[int], kept: list[Kept], now: datetime
    ) -> None:
        mine = [(i, what) for i in indexes if isinstance(what := batch[i].what, Receipt)]
        unknown = sms_settling.receipts(operator_id=operator_id, said=[r for _, r in mine], now=now)
        for index, receipt in mine:
            if receipt in unknown:
                kept[index] = Kept(is_unknown=True)

    # -- in, on the loop, after the commit -------------------------------------------------------------------
    def _stored(self, came: Came, kept: Kept | None) -> None:
        came.acknowledge(smpp.Status.RX_T_APPN if kept is None else smpp.Status.OK)

    def _look_into(self, came: Came, kept: Kept | None) -> None:
        if kept is None:
            return
        if kept.refused is not None and isinstance(came.what, Part):
            self._refuse(came.operator_id, kept.refused, came.what.msisdn)
        if kept.is_unknown and isinstance(came.what, Receipt):
            self._keep_early(came.operator_id, came.what, RECEIPT_TRIES)
        for whole in kept.whole:
            self._on_whole(came.operator_id, whole)

    def _keep_early(self, operator_id: int, receipt: Receipt, tries: int) -> None:
        """It may be told before the outbox knows the SMSC's id."""
        early = self._early.setdefault(operator_id, _Receipts(operator_id))
        if tries > 0 and len(early.waiting) < MAX_RECEIPTS_WAITING:
            early.waiting.append((receipt, tries))

    def take_early(self, operator_id: int) -> list[tuple[Receipt, int]]:
        """Receipts that are worth another look, and how often."""
        early = self._early.pop(operator_id, None)
        return [] if early is None else early.waiting

    def still_unknown(self, operator_id: int, looked_at: Sequence[tuple[Receipt, int]]) -> None:
        for receipt, tries in looked_at:
            self._keep_early(operator_id, receipt, tries - 1)

    # -- out -------------------------------------------------------------------------------------------------
    def _queue(self, batch: Sequence[Leaving]) -> list[bool]:
        now = timezone.now()
        messages = [each for each in batch if isinstance(each, Outgoing)]
        part_ids = [part_id for each in batch if isinstance(each, Handled) for part_id in each.part_ids]
        settled = [each for each in batch if isinstance(each, tuple)]
        with ledger.unit_of_work():
            for wants in (True, False):
                mine = [each for each, receipts in settled if receipts is wants]
                if mine:
                    sms_settling.settle(settled=mine, wants_receipts=wants, now=now)
            ids = iter(sms_outbox.queue(messages=messages, now=now) if messages else ())
            if part_ids:
                sms_inbox.handled(part_ids=part_ids, now=now)
        return [next(ids) is not None if isinstance(each, Outgoing) else False for each in batch]

    def _queued(self, each: Leaving, done: bool | None) -> None:
        if not isinstance(each, Outgoing):
            return
        if done is None:
            self._counters.unsent += 1
        elif done:
            self._on_queued(each.operator_id)


def _receipt(body: smpp.Carrier) -> Receipt | None:
    """A final one; that a message is still on its way changes nothing."""
    said = smpp.receipts.read(body)
    if said is None or not said.state.is_final:
        return None
    detail = f"{said.state.name} {said.error}".strip()
    spelt = smpp.receipts.spellings(said.message_id)
    return Receipt(spelt, said.state is smpp.MessageState.DELIVERED, detail)


def _answers_a_trigger(operator_id: int, whole: Whole, now: datetime) -> bool:
    """A response to one, which is worked off by being noted. Acknowledgements of devices by SMS are to requests."""
    if len(whole.payload) < 4 or whole.payload[1] >> 5 not in (2, 4, 5):
        return False
    if whole.owner.reach == Reach.SMS and whole.payload[0] >> 4 & 3 == ACK:
        return False
    token = trigger.token_of(whole.payload)
    code = whole.payload[1]
    said = triggers.answered(operator_id=operator_id, msisdn=whole.msisdn, token=token, code=code, now=now)
    if said:
        sms_inbox.handled(part_ids=whole.part_ids, now=now)
    return said

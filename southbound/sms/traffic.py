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
from coap import ACK, token_of
from devices.inventory.models import Reach
from devices.messaging.models import SmsPurpose
from devices.messaging.services import sms_inbox, sms_outbox, sms_settling, triggers
from devices.messaging.services.sms_inbox import GivenUp, Part, Refused, Ripe, Whole
from devices.messaging.services.sms_outbox import Outgoing, Receipt, Settled
from southbound.counters import Counters
from southbound.sms.lane import SmsPeer
from southbound.threads.group_commit import GroupCommit
from southbound.threads.guard import Guard

logger = logging.getLogger(__name__)

MAX_RECEIPTS_WAITING = 1000
RECEIPT_TRIES = 5

Acknowledge = Callable[[int], None]
"""Tells the SMSC with which status its message was taken."""
NEVER, LATER = smpp.Status.RX_P_APPN, smpp.Status.RX_T_APPN
"""Not taken: the same message again would not be, or may be. An SMSC gives the first up and keeps the second."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message of a number that nobody can make use of."""

    msisdn: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Came:
    """A message of the SMSC: a part of a device's, what cannot be read of it, or a receipt."""

    operator_id: int
    what: Part | Unreadable | Receipt
    acknowledge: Acknowledge


@dataclass(frozen=True, slots=True)
class Kept:
    """It is stored, or `refused`. The rest is of its batch, with the first of its operator: the messages of one SMS,
    what had to make room, and whether there are parts to be joined."""

    refused: Refused | None = None
    whole: Sequence[Whole] = ()
    given_up: Sequence[GivenUp] = ()
    has_parts: bool = False
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
    """`on_whole` gets messages to work off, `on_parts` the operators who have some to be joined by `ripe`, and
    `on_queued` the operator in whose outbox something is."""

    def __init__(
        self,
        *,
        flow: str,
        counters: Counters,
        on_whole: Callable[[int, Whole], None],
        on_parts: Callable[[int], None],
        on_queued: Callable[[int], None],
        guard: Guard | None = None,
    ) -> None:
        self._flow = flow
        self._counters = counters
        self._on_whole = on_whole
        self._on_parts = on_parts
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
        """A message of the SMSC. It is told OK for what is kept, and for what its own reports add nothing to."""
        what: Part | Unreadable | Receipt | None
        if smpp.is_receipt(body) or smpp.is_intermediate(body):
            what = _receipt(body)
            if what is None:
                acknowledge(smpp.Status.OK)
                return
        else:
            what = self._told(body)
            if what is None:
                self._refuse(operator_id, Refused("MSISDN_UNKNOWN"), str(body.source)[:20])
                acknowledge(NEVER)
                return
        if not self.incoming.submit(Came(operator_id, what, acknowledge)):
            acknowledge(LATER)

    def _told(self, body: smpp.Carrier) -> Part | Unreadable | None:
        """What a device says; None where the sender is no number."""
        msisdn = body.source.msisdn
        if msisdn is None:
            return None
        try:
            part = smpp.part_of(body)
        except smpp.NotBinary as error:
            return Unreadable(msisdn, f"An SMS that is text: {error}.")
        except smpp.Malformed as error:
            self._counters.malformed += 1
            return Unreadable(msisdn, f"An SMS that cannot be read: {error.detail}.")
        concat = part.concat
        if concat is None or concat.total == 1:
            return Part(msisdn, part.payload)
        return Part(msisdn, part.payload, concat.reference, concat.number, concat.total)

    def unreadable(self, peer: SmsPeer) -> None:
        """A whole message that is no CoAP."""
        self._refuse(peer.operator_id, Refused("MESSAGE_MALFORMED"), peer.msisdn)

    def _refuse(self, operator_id: int, refused: Refused, number: str) -> None:
        """Nothing is answered: each answer would cost, and a stranger could ask for as many as it likes."""
        detail = refused.detail or f"An SMS from {number}."
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
        unread = [(i, what) for i in indexes if isinstance(what := batch[i].what, Unreadable)]
        said = [(what.msisdn, what.detail) for _, what in unread]
        for (index, _), why in zip(
            unread, sms_inbox.unreadable(operator_id=operator_id, said=said), strict=True
        ):
            kept[index] = Kept(why)
        mine = [(i, what) for i in indexes if isinstance(what := batch[i].what, Part)]
        if not mine:
            return
        stored = sms_inbox.store(operator_id=operator_id, parts=[part for _, part in mine], now=now)
        for (index, _), refused in zip(mine, stored.refused, strict=True):
            kept[index] = Kept(refused)
        wanted = [each for each in stored.whole if not _answers_a_trigger(operator_id, each, now)]
        first = mine[0][0]
        kept[first] = Kept(kept[first].refused, wanted, stored.given_up, stored.has_parts)

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
        is_taken = kept is not None and kept.refused is None
        came.acknowledge(LATER if kept is None else smpp.Status.OK if is_taken else NEVER)

    def _look_into(self, came: Came, kept: Kept | None) -> None:
        if kept is None:
            return
        if kept.refused is not None and not isinstance(came.what, Receipt):
            self._refuse(came.operator_id, kept.refused, came.what.msisdn)
        for each in kept.given_up:
            self._refuse(came.operator_id, each.refused, each.msisdn)
        if kept.has_parts:
            self._on_parts(came.operator_id)
        if kept.is_unknown and isinstance(came.what, Receipt):
            self._keep_early(came.operator_id, came.what, RECEIPT_TRIES)
        for whole in kept.whole:
            self._on_whole(came.operator_id, whole)

    def joined(self, operator_id: int, ripe: Ripe) -> None:
        """What `ripe` found."""
        for each in ripe.given_up:
            self._refuse(operator_id, each.refused, each.msisdn)
        for whole in ripe.whole:
            self._on_whole(operator_id, whole)

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
    if said is None or not said.state.is_final or smpp.is_intermediate(body):
        return None
    detail = f"{said.state.name} {said.error}".strip()
    numbers = (body.source.digits, body.destination.digits)
    return Receipt(said.message_id, said.state is smpp.MessageState.DELIVERED, detail, numbers)


def ripe(operator_id: int, now: datetime) -> Ripe:
    """The messages of several SMS that are whole by now, without those that only answer a trigger."""
    with ledger.unit_of_work():
        found = sms_inbox.ripe(operator_id=operator_id, now=now)
        wanted = [each for each in found.whole if not _answers_a_trigger(operator_id, each, now)]
    return Ripe(wanted, found.given_up, found.due_at)


def _answers_a_trigger(operator_id: int, whole: Whole, now: datetime) -> bool:
    """A response to one, which is worked off by being noted. Acknowledgements of devices by SMS are to requests."""
    if len(whole.payload) < 4 or whole.payload[1] >> 5 not in (2, 4, 5):
        return False
    if whole.owner.reach == Reach.SMS and whole.payload[0] >> 4 & 3 == ACK:
        return False
    token = token_of(whole.payload)
    code = whole.payload[1]
    said = triggers.answered(operator_id=operator_id, msisdn=whole.msisdn, token=token, code=code, now=now)
    if said:
        sms_inbox.handled(part_ids=whole.part_ids, now=now)
    return said

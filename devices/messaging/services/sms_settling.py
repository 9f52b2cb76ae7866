"""What became of messages that were claimed: what the SMSC answered to them, and its delivery receipts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from audit import ledger
from audit.actions import Action
from devices.inventory import locks
from devices.messaging.models import SmsMessage, SmsReceiptKey, SmsState
from devices.messaging.services import sms_receipt_keys
from devices.messaging.services.sms_outbox import DETAIL_LIMIT, Receipt, Settled, record
from smpp import receipts as smpp_receipts

_COLUMNS = ["state", "parts_sent", "message_ids", "cause", "detail", "next_attempt_at", "ended_at"]
_OVER = (SmsState.REFUSED, SmsState.DROPPED, SmsState.EXPIRED)


def settle(*, settled: Sequence[Settled], wants_receipts: bool, now: datetime) -> None:
    """Write how these went. A refusal that is final leaves a ledger event."""
    with ledger.unit_of_work():
        found = locks.rows(SmsMessage.objects).select_related("device").order_by("pk")
        keys = _receipt_keys(settled) if wants_receipts else []
        whole = [each.sent.message_id for each in settled if each.state == SmsState.SENT]
        if whole:
            taken = SmsMessage.objects.filter(pk__in=whole, state=SmsState.SUBMITTING)
            taken.update(state=SmsState.SENT, parts_sent=F("parts"), cause="", detail="")
        others = [each for each in settled if each.state != SmsState.SENT]
        rows = found.in_bulk([each.sent.message_id for each in others]) if others else {}
        for each in others:
            row = rows.get(each.sent.message_id)
            if row is None or row.state != SmsState.SUBMITTING:
                continue
            row.state, row.cause, row.detail = each.state, each.cause, each.detail[:DETAIL_LIMIT]
            row.message_ids = [*row.message_ids, *each.smsc_ids]
            row.parts_sent = len(row.message_ids)
            row.next_attempt_at = each.next_attempt_at or row.next_attempt_at
            row.ended_at = now if each.state in _OVER else None
            if each.state == SmsState.REFUSED:
                record(row, Action.DEVICE_SMS_REFUSED, "failed", each.cause or "SMS_REFUSED")
        if rows:
            SmsMessage.objects.bulk_update(list(rows.values()), _COLUMNS)
        SmsReceiptKey.objects.bulk_create(keys)


def _receipt_keys(settled: Sequence[Settled]) -> list[SmsReceiptKey]:
    """Of what was taken; a message that is gone meanwhile has none."""
    taken = {each.sent.message_id: each.smsc_ids for each in settled if each.smsc_ids}
    known = dict(SmsMessage.objects.filter(pk__in=taken).values_list("pk", "operator_id"))
    return [
        SmsReceiptKey(
            operator_id=operator_id, smsc_id=smpp_receipts.canonical(smsc_id), message_id=message_id
        )
        for message_id, operator_id in known.items()
        for smsc_id in taken[message_id]
        if smsc_id
    ]


def receipts(*, operator_id: int, said: Sequence[Receipt], now: datetime) -> list[Receipt]:
    """Write what the SMSC says of parts; returns the receipts of which nobody knows the message (yet).

    A message is delivered when all its parts are, and undelivered when one is not, which leaves a ledger event.
    What is told again changes nothing.
    """
    if not said:
        return []
    with ledger.unit_of_work():
        known = sms_receipt_keys.find(operator_id=operator_id, said=said)
        fresh = {receipt: key for receipt, key in known.items() if key.settled_at is None}
        message_ids = {key.message_id for key in fresh.values()}
        found = locks.rows(SmsMessage.objects).select_related("device").order_by("pk")
        rows = found.in_bulk(message_ids)
        SmsReceiptKey.objects.filter(pk__in=[key.pk for key in fresh.values()]).update(settled_at=now)
        for receipt in said:
            if receipt in fresh and not receipt.is_delivered:
                _fail(rows[fresh[receipt].message_id], receipt, now)
        open_ones = SmsReceiptKey.objects.filter(message_id__in=message_ids, settled_at=None)
        unsure = set(open_ones.values_list("message_id", flat=True))
        for row in rows.values():
            if row.state == SmsState.SENT and row.pk not in unsure:
                row.state, row.ended_at = SmsState.DELIVERED, now
        SmsMessage.objects.bulk_update(list(rows.values()), ["state", "cause", "detail", "ended_at"])
    return [receipt for receipt in said if receipt not in known]


def _fail(row: SmsMessage, receipt: Receipt, now: datetime) -> None:
    if row.state not in (SmsState.SENT, SmsState.QUEUED):
        return
    row.state, row.ended_at = SmsState.UNDELIVERED, now
    row.cause, row.detail = "SMS_UNDELIVERED", receipt.detail[:DETAIL_LIMIT]
    record(row, Action.DEVICE_SMS_UNDELIVERED, "failed", "SMS_UNDELIVERED")

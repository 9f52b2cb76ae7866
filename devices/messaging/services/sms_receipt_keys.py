"""Which message a delivery receipt is about. What is not certain is left open: a receipt never settles another one.

An SMSC may answer in hexadecimal and report in decimal, or the other way round, and keeps to what it does. So its
spelling is learnt from the first receipt that only one of them explains, and from then on nothing else is tried.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from devices.messaging.models import SmscLink, SmsReceiptKey
from devices.messaging.services.sms_outbox import Receipt
from smpp import Spelling
from smpp.receipts import responses

KEPT = timedelta(days=1)
"""How long a settled key says what its id meant."""
_FEWEST_DIGITS = 7
"""A shorter number is a short code, which says nothing of a device's."""


def find(*, operator_id: int, said: Sequence[Receipt]) -> dict[Receipt, SmsReceiptKey]:
    """The key of each receipt that is about one message for certain, settled or not. Learns the link's spelling."""
    link = SmscLink.objects.filter(pk=operator_id).values_list("receipt_spelling", "address").first()
    learnt, own = link or ("", "")
    found: dict[Receipt, SmsReceiptKey] = {}
    keys = _keys(operator_id, said)
    for receipt in said:
        told = _told(receipt, own)
        spelt = responses(receipt.smsc_id)
        if learnt:
            spelt = {spelling: each for spelling, each in spelt.items() if spelling.value == learnt}
        fitting = {
            spelling: mine[-1]  # of an SMSC that begins its ids anew the newest message is meant
            for spelling, smsc_id in spelt.items()
            if (mine := [key for key in keys[smsc_id] if not told or _names(told, key.message.msisdn)])
        }
        explaining = list(fitting)
        if Spelling.SAME in fitting and Spelling.DECIMAL not in fitting:
            # Reports in hexadecimal about answers in decimal are the rarest: alone they make no doubt.
            fitting.pop(Spelling.HEXADECIMAL, None)
        if len({key.pk for key in fitting.values()}) != 1:
            continue
        found[receipt] = next(iter(fitting.values()))
        if not learnt and told:
            learnt = _learn(operator_id, explaining)
    return found


def _keys(operator_id: int, said: Sequence[Receipt]) -> dict[str, list[SmsReceiptKey]]:
    spelt = {smsc_id for receipt in said for smsc_id in responses(receipt.smsc_id).values()}
    rows = SmsReceiptKey.objects.filter(operator_id=operator_id, smsc_id__in=spelt).select_related("message")
    keys: dict[str, list[SmsReceiptKey]] = defaultdict(list)
    for key in rows.order_by("id"):
        keys[key.smsc_id].append(key)
    return keys


def _learn(operator_id: int, explaining: Sequence[Spelling]) -> str:
    """What has more than one explanation teaches nothing, such as 5, which every spelling writes in the same way."""
    if len(explaining) != 1:
        return ""
    SmscLink.objects.filter(pk=operator_id).update(receipt_spelling=explaining[0].value)
    return explaining[0].value


def _told(receipt: Receipt, own: str) -> list[str]:
    """The digits of the numbers it names, beside our own: some SMSCs name that first and the device's second."""
    ours = _digits(own)
    return [digits for number in receipt.numbers if (digits := _digits(number)) and digits != ours]


def _names(told: Sequence[str], msisdn: str) -> bool:
    """National forms leave the country out."""
    digits = _digits(msisdn)
    return any(digits.endswith(each) or each.endswith(digits) for each in told)


def _digits(number: str) -> str:
    digits = re.sub(r"[^0-9]", "", number).lstrip("0")
    return digits if len(digits) >= _FEWEST_DIGITS else ""


def prune(*, now: datetime, limit: int) -> int:
    """Forget what was settled more than a day ago; returns how many keys went."""
    old = SmsReceiptKey.objects.filter(settled_at__lt=now - KEPT).order_by("pk")
    ids = list(old.values_list("pk", flat=True)[:limit])
    gone = 0
    for at in range(0, len(ids), 500):
        gone += SmsReceiptKey.objects.filter(pk__in=ids[at : at + 500]).delete()[0]
    return gone

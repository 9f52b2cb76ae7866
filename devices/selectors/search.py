"""The one search for devices, behind every box: by whatever somebody reads from a label, a bill or a phone.

Each word has to be found somewhere: endpoint, name, serial number, maker, model, phone number, account number, the
person's name or e-mail address, the address it registered from, its key's identity. Ids come from one query a table,
put together by UNION: an OR over joined tables can be served by no index.
"""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet

from accounts.models import Subscriber, User
from devices.models import Credential, Device, Registration

WORDS = 5
_PHONE = re.compile(r"^[+(]?[\d\s()/.-]+$")
_PHONE_DIGITS = 5
_ACCOUNT = re.compile(r"^([A-Za-z]{2,4})[-\s]?(\d{4})[-\s]?(\d{1,4})$")


def found(rows: QuerySet[Device], text: str) -> QuerySet[Device]:
    """Those of `rows` in which every word of `text` is found; all of them where there is none."""
    for word in words(text):
        rows = rows.filter(pk__in=_ids(word))
    return rows


def words(text: str) -> list[str]:
    """What has to be found: the words, but a phone number or an account number however it is spaced as a whole."""
    text = text.replace("\0", "").strip()
    if not text:
        return []
    if _digits(text) or _ACCOUNT.match(text):
        return [text]
    return text.split()[:WORDS]


def _ids(word: str) -> QuerySet[Device, int]:
    own = Q()
    for column in ("endpoint", "name", "serial_number", "manufacturer", "model_number"):
        own |= Q(**{f"{column}__folded": word})
    if digits := _digits(word):
        own |= Q(msisdn__folded=digits)
    people = User.objects.filter(Q(email__folded=word) | Q(name__folded=word)).order_by()
    accounts = Subscriber.objects.filter(number__folded=_account(word)).order_by()
    return (
        Device.objects.filter(own)
        .order_by()
        .values("pk")
        .union(
            Device.objects.filter(subscriber__in=accounts.values("pk")).order_by().values("pk"),
            Device.objects.filter(subscriber__user__in=people.values("pk")).order_by().values("pk"),
            Registration.objects.filter(Q(host=word) | Q(identity=word)).order_by().values("device_id"),
            Credential.objects.filter(identity=word).order_by().values("device_id"),
        )
    )


def _digits(text: str) -> str:
    """Of a phone number what its international form ends with, whatever stands between and before; else nothing."""
    if not _PHONE.match(text):
        return ""
    digits = re.sub(r"\D", "", text).lstrip("0")
    return digits if len(digits) >= _PHONE_DIGITS else ""


def _account(text: str) -> str:
    """As account numbers are written, NOR-2475-6039, however it was typed."""
    match = _ACCOUNT.match(text)
    return "-".join(match.groups()) if match else text

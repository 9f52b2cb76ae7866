"""The one search for devices, behind every box: by whatever somebody reads from a label, a bill or a phone.

Each word has to be found somewhere: endpoint, name, serial number, maker, model, phone number, account number, the
person's name or e-mail address, the address it registered from, its key's identity. Ids come from one query a table,
put together by UNION ALL: an OR over joined tables can be served by no index.

Few ids are found first and named in the query that shows the devices. With its dozen joins that one is beyond
PostgreSQL's join_collapse_limit, so a subquery would be joined last, to every device there is.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Subscriber, User
from devices.inventory.models import Credential, Device
from devices.registry.models import Registration

WORDS = 5
FEW = 1000
"""So many ids are named. What finds more shows the beginning of a long list anyway."""
_PHONE = re.compile(r"^[+(]?[\d\s()/.-]+$")
_PHONE_DIGITS = 5
_ACCOUNT = re.compile(r"^([A-Za-z]{2,4})[-\s]?(\d{4})[-\s]?(\d{1,4})$")


def found(rows: QuerySet[Device], text: str) -> QuerySet[Device]:
    """Those of `rows` in which every word of `text` is found; all of them where there is none. Asks the database."""
    few: list[int] | None = None
    broad = []
    for word in words(text):
        ids = named(_ids(word, few))
        if ids is None:
            broad.append(word)
        else:
            few = ids
    for word in broad:
        if few is None:
            rows = rows.filter(pk__in=_ids(word))
        else:
            few = list(_ids(word, few))
    return rows if few is None else rows.filter(pk__in=few)


def named(ids: QuerySet[Any, int]) -> list[int] | None:
    """The ids, each once, where they are few, and None where they are not."""
    some = list(ids[: FEW + 1])
    return sorted(set(some)) if len(some) <= FEW else None


def words(text: str) -> list[str]:
    """What has to be found: the words, but a phone number or an account number however it is spaced as a whole."""
    text = text.replace("\0", "").strip()
    if not text:
        return []
    if _digits(text) or _ACCOUNT.match(text):
        return [text]
    return text.split()[:WORDS]


def _ids(word: str, among: list[int] | None = None) -> QuerySet[Device, int]:
    """Of the devices in which the word is found, some more than once; only those of `among` where it is given."""
    own = Q()
    for column in ("endpoint", "name", "serial_number", "manufacturer", "model_number"):
        own |= Q(**{f"{column}__folded": word})
    if digits := _digits(word):
        own |= Q(msisdn__folded=digits)
    people = User.objects.filter(Q(email__folded=word) | Q(name__folded=word)).order_by()
    accounts = Subscriber.objects.filter(number__folded=_account(word)).order_by()
    devices, registrations, keys = Device.objects.all(), Registration.objects.all(), Credential.objects.all()
    if among is not None:
        devices = devices.filter(pk__in=among)
        registrations, keys = registrations.filter(device__in=among), keys.filter(device__in=among)
    return (
        devices.filter(own)
        .order_by()
        .values_list("pk", flat=True)
        .union(
            devices.filter(subscriber__in=accounts.values("pk")).order_by().values_list("pk"),
            devices.filter(subscriber__user__in=people.values("pk")).order_by().values_list("pk"),
            registrations.filter(Q(host=word) | Q(identity=word)).order_by().values_list("device_id"),
            keys.filter(identity=word).order_by().values_list("device_id"),
            all=True,
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

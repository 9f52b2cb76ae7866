"""Addresses of packages: the permission to read one, and for whom it was given out.

`/p/TOKEN/WHO.MARK`: TOKEN is the package's, WHO the number of a device or `any`, and MARK a keyed digest over both. So
whoever made an address up is known without a look into any table, and a fetch can be told apart from that of the
neighbour behind the same NAT. There is nothing else in it: no name of a package, a device or an operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

ROOT = "p"
ANYBODY = "any"
MARK_LENGTH = 24
"""96 bits in hex."""
_SALT = "devices.packages.address"
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Address:
    """One that we gave out. Without `device_id` it is for any device."""

    token: str
    device_id: int | None


def uri(token: str, device_id: int | None) -> str | None:
    """As it is written to `/5/0/1`. None where no files are served (COAP_FILES_PORT=0)."""
    if not settings.COAP_FILES_PORT:
        return None
    host = settings.PUBLIC_HOST
    host = f"[{host}]" if ":" in host else host
    return f"coap://{host}:{settings.COAP_FILES_PORT}/{'/'.join(path(token, device_id))}"


def path(token: str, device_id: int | None) -> tuple[str, str, str]:
    who = ANYBODY if device_id is None else str(device_id)
    return ROOT, token, f"{who}.{_mark(token, who)}"


def read(segments: Sequence[str]) -> Address | None:
    """What a Uri-Path says; None for one that we did not give out."""
    if len(segments) != 3 or segments[0] != ROOT:
        return None
    who, dot, mark = segments[2].partition(".")
    if not dot or not constant_time_compare(mark, _mark(segments[1], who)):
        return None
    if who == ANYBODY:
        return Address(segments[1], None)
    return Address(segments[1], int(who)) if who.isdecimal() and len(who) <= _LONGEST_NUMBER else None


def _mark(token: str, who: str) -> str:
    return salted_hmac(_SALT, f"{token}/{who}", algorithm="sha256").hexdigest()[:MARK_LENGTH]

"""Date/time texts as RFC 3339 writes them, read as seconds since 1970 (`RFC 8949 section 3.4.1`)."""

from __future__ import annotations

import re
from calendar import monthrange, timegm

_TEXT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:[Zz]|([+-])(\d\d):(\d\d))\Z", re.ASCII
)


class DateTimeText(str):
    """A text that came marked as a date and time (CBOR tag 0); `seconds` of it is known to be a number."""

    __slots__ = ()


def seconds(text: str) -> int | float | None:
    """Whole seconds as int, with a fraction as float; None for what is no date/time of RFC 3339.

    An offset is wanted, as a time of day without one is no point in time. A leap second (``:60``) is the
    first of the next minute, as in every count of seconds since 1970.
    """
    found = _TEXT.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    offset_hour, offset_minute = int(found[9] or 0), int(found[10] or 0)
    if second > 60 or offset_hour > 23 or offset_minute > 59:
        return None
    if not (
        year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1] and hour < 24 and minute < 60
    ):
        return None
    offset = (offset_hour * 60 + offset_minute) * 60 * (-1 if found[8] == "-" else 1)
    whole = timegm((year, month, day, hour, minute, second)) - offset
    fraction = found[7] or ""
    return whole + int(fraction) / 10 ** len(fraction) if fraction.strip("0") else whole

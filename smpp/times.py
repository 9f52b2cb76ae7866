"""validity_period and schedule_delivery_time (SMPP 3.4 section 7.1.1); the present moment is passed in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from smpp.errors import Malformed
from smpp.status import Status

LONGEST_SECONDS = 63 * 86400.0  # what GSM's relative form reaches, TS 23.040 section 9.2.3.12.1
_FORM = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])\Z", re.ASCII)


def relative(seconds: float) -> str:
    """``000001020304000R``, at least one second and at most `LONGEST_SECONDS` from now.

    Days alone: how long a month is depends on the SMSC.
    """
    left = int(max(1.0, min(seconds, LONGEST_SECONDS)))
    days, left = divmod(left, 86400)
    return f"0000{days:02d}{left // 3600:02d}{left // 60 % 60:02d}{left % 60:02d}000R"


def seconds_left(text: str, now: datetime) -> float | None:
    """How long a message of this validity lives; None when it says nothing. Raises `Malformed`."""
    if not text:
        return None
    match = _FORM.match(text)
    if match is None:
        raise Malformed(f"{text!r} is no time of SMPP", Status.INVEXPIRY)
    *numbers, sign = match.groups()
    year, month, day, hour, minute, second, tenths, quarters = map(int, numbers)
    if sign == "R":
        days = year * 365 + month * 30 + day
        return float(days * 86400 + hour * 3600 + minute * 60 + second)
    try:
        there = datetime(2000 + year, month, day, hour, minute, second, tenths * 100_000, UTC)
        offset = timedelta(minutes=15 * quarters)
        return (there - offset - now if sign == "+" else there + offset - now).total_seconds()
    except (ValueError, OverflowError):
        raise Malformed(f"{text!r} is no time of SMPP", Status.INVEXPIRY) from None

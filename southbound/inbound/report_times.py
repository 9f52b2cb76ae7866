"""When each report of a batch came: history keeps one value a millisecond, and two changes in one breath are two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from lwm2m.registration import Origin
from southbound.inbound.report_verdicts import Report

STEP = timedelta(milliseconds=1)
AHEAD = timedelta(seconds=1)
"""A device that keeps on telling more than a thousand values a second gets no times further ahead than this."""


class ArrivalTimes:
    """Of several reports of one device each is a millisecond later than the one before, over batches too."""

    def __init__(self) -> None:
        self._given: dict[Origin, datetime] = {}

    def of(self, batch: Sequence[Report], now: datetime) -> list[tuple[Report, datetime]]:
        """On one thread alone. `now` is that of the batch."""
        self._given = {origin: at for origin, at in self._given.items() if at + STEP > now}
        timed: list[tuple[Report, datetime]] = []
        for report in batch:
            before = self._given.get(report.origin)
            at = now if before is None else min(before + STEP, now + AHEAD)
            self._given[report.origin] = at
            timed.append((report, at))
        return timed

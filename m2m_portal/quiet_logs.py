"""Keeps what Django logs of requests readable: a traceback for our faults alone, and no line that repeats for ever."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict

from audit.away import is_away

QUIET_SECONDS = 60


class RequestFaults(logging.Filter):
    """For `django.request` and `django.security`; other records pass.

    Refusals (4xx) lose their traceback; a store that is away is one line a minute.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told_at: float | None = None
        self._untold = 0

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(("django.request", "django.security")):
            return True
        status = getattr(record, "status_code", 500)
        error = record.exc_info[1] if record.exc_info else None
        if status < 500:
            record.exc_info = None
            return True
        if status != 503 and not is_away(error):
            return True
        record.exc_info = None
        now = time.monotonic()
        if self._told_at is not None and now - self._told_at < QUIET_SECONDS:
            self._untold += 1
            return False
        record.msg, record.args = (
            "store_away path=%s error=%s untold=%d",
            (
                getattr(getattr(record, "request", None), "path", ""),
                type(error).__name__ if error else record.getMessage(),
                self._untold,
            ),
        )
        self._told_at, self._untold = now, 0
        return True


class Repetitions(logging.Filter):
    """Warnings and errors with the very same words: one line a minute, with how many there were.

    What is wrong with a whole process is said by every part of it, each second or for each connection ("too many open
    files", "the database is away"); a disk that is full of that is one fault more.
    """

    KEPT = 1_000

    def __init__(self) -> None:
        super().__init__()
        self._told: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        words = record.getMessage()
        now = time.monotonic()
        told = self._told.get((record.name, words))
        if told is not None and now - told[0] < QUIET_SECONDS:
            told[1] += 1
            return False
        if told is not None and told[1]:
            record.msg, record.args = "%s (and %d times more)", (words, int(told[1]))
        self._told[record.name, words] = [now, 0]
        self._told.move_to_end((record.name, words))
        if len(self._told) > self.KEPT:
            self._told.popitem(last=False)
        return True

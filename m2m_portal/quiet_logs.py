"""Keeps what Django logs of requests readable: a traceback for our faults alone, and no line that repeats for ever."""

from __future__ import annotations

import logging
import time

from m2m_portal.away import is_away

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

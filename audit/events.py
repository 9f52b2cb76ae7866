"""What this room says outward, by name and after commit: that there are events to be sealed.

A hint: the row is the truth, and beat looks for it too. A thread of the writing process carries it, so a broker
that is away costs no deed anything, and thousands of deeds a second ring a few times.
"""

from __future__ import annotations

import logging
import os
import threading
import time

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

SEAL = "audit.seal"
PAUSE_SECONDS = 0.1
"""Between two rings of one process: in the meantime batches grow."""
QUIET_SECONDS = 10.0
"""After a ring that was lost."""
EXPIRES_SECONDS = 30


def unsealed() -> None:
    """Call it in the transaction that inserted events."""
    transaction.on_commit(_rung, robust=True)  # no thread can be had: the deed is done all the same


def _rung() -> None:
    global _ringer
    if not _ringer.is_ours():
        with _lock:
            if not _ringer.is_ours():
                _ringer = _Ringer()
                _ringer.start()
    _ringer.wanted.set()


class _Ringer(threading.Thread):
    """A forked child makes its own."""

    def __init__(self) -> None:
        super().__init__(name="audit-ringer", daemon=True)
        self.wanted = threading.Event()
        self._pid = os.getpid()

    def is_ours(self) -> bool:
        return self._pid == os.getpid() and self.is_alive()

    def run(self) -> None:
        while True:
            self.wanted.wait()
            time.sleep(PAUSE_SECONDS)
            self.wanted.clear()  # before the ring: what commits during it asks for the next
            try:
                current_app.send_task(SEAL, ignore_result=True, retry=False, expires=EXPIRES_SECONDS)
            except Exception as error:
                logger.warning("seal_ring_lost error=%s: %s", type(error).__name__, error)
                time.sleep(QUIET_SECONDS)


_lock = threading.Lock()
_ringer = _Ringer()

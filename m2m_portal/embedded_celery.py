"""Celery's worker and beat as threads of the all-in-one process; the worker pool is solo, nothing is forked."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from celery import beat, concurrency
from celery.worker import WorkController, state

from m2m_portal.celery import app

logger = logging.getLogger(__name__)
concurrency.get_available_pool_names()  # loads the pool table before threads do


class EmbeddedCelery:
    """Runs between `with` and its end; leaving waits a few seconds for the task at hand, which is safe to run twice."""

    def __init__(self) -> None:
        self._worker: WorkController | None = None
        self._thread = threading.Thread(target=self._work, name="celery-worker", daemon=True)
        self._beat = beat.EmbeddedService(app, max_interval=1, thread=True, scheduler_cls=beat.Scheduler)

    def __enter__(self) -> EmbeddedCelery:
        app.loader.import_default_modules()
        app.finalize()
        state.should_stop = None
        self._thread.start()
        self._beat.daemon = True
        self._beat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ask_to_stop()
        deadline = time.monotonic() + 3
        while self._thread.is_alive() and state.active_requests and time.monotonic() < deadline:
            self._thread.join(timeout=0.05)  # an idle worker only notices at its next look, up to 2 s later

    def dead(self) -> str:
        """The name of a thread that ended without being asked to, or nothing."""
        if state.should_stop is not None:
            return ""
        return next((one.name for one in (self._thread, self._beat) if not one.is_alive()), "")

    def ask_to_stop(self) -> None:
        """Take no further task; returns at once."""
        state.should_stop = 0
        self._beat.service.stop(wait=False)

    def _work(self) -> None:
        try:
            self._worker = WorkController(
                app=app,
                hostname="embedded@localhost",
                pool="solo",
                concurrency=1,
                loglevel="WARNING",
                without_heartbeat=True,
                without_mingle=True,
                without_gossip=True,
            )
            self._worker.start()
        except SystemExit:
            pass
        except Exception:
            logger.exception("embedded_celery_worker_ended")

"""What this room rings for: after commit, by the name of a task, never so that a write could fail."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

BULK = "backoffice.bulk"


def bulk(job_id: int) -> None:
    """Have a worker go on with a bulk job. A lost bell is found by `accounts.services.bulk.sweep`."""
    transaction.on_commit(lambda: _send(job_id))


def _send(job_id: int) -> None:
    try:
        current_app.send_task(BULK, args=[job_id], ignore_result=True, retry=False)
    except Exception as error:
        logger.warning("bell_lost where=broker error=%s", type(error).__name__)

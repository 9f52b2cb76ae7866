"""Doorbells of this room."""

from __future__ import annotations

from celery import shared_task
from django.db import connection
from django.utils import timezone

from audit import checkpoints, events, held_back, months, sealing


@shared_task(name=events.SEAL, expires=events.EXPIRES_SECONDS)
def seal() -> None:
    """Rung by whoever wrote events, and by beat every few seconds."""
    sealing.run()


@shared_task(name="audit.close_epochs", expires=3600)
def close_epochs() -> None:
    """Beat: every hour or so. What was written just before belongs to the epoch too."""
    sealing.run()
    checkpoints.close_all(now=timezone.now())


@shared_task(name="audit.make_partitions", expires=3600)
def make_partitions() -> None:
    """Beat: a few times a day."""
    months.ahead(connection, now=timezone.now())


@shared_task(name="audit.tell_held_back", expires=600)
def tell_held_back() -> None:
    """Beat: every ten minutes or so."""
    while held_back.tell(now=timezone.now()) >= held_back.TOLD_AT_ONCE:
        continue

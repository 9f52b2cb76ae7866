"""Doorbells of this room."""

from __future__ import annotations

from time import monotonic

from celery import shared_task
from django.db import connection
from django.utils import timezone

from audit import checkpoints, events, held_back, months, sealing

TURN_SECONDS = 2.0
REST_SECONDS = 0.5
"""The sealer shares its worker with the sweeps, and its rings stand before them in the queue. While there is more to
seal than a turn can, those that come in the rest after it are over at once, and the sweeps have theirs."""
_resting_until = 0.0


@shared_task(name=events.SEAL, expires=events.EXPIRES_SECONDS)
def seal() -> None:
    """Rung by whoever wrote events, and by beat every few seconds."""
    global _resting_until
    begun = monotonic()
    if begun < _resting_until:
        return
    sealing.run(seconds=TURN_SECONDS)
    ended = monotonic()
    if ended - begun >= TURN_SECONDS:
        _resting_until = ended + REST_SECONDS


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

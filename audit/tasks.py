"""Doorbells of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from audit import held_back


@shared_task(name="audit.tell_held_back", expires=600)
def tell_held_back() -> None:
    """Beat: every ten minutes or so."""
    while held_back.tell(now=timezone.now()) >= held_back.TOLD_AT_ONCE:
        continue

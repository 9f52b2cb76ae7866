"""Doorbells of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from devices.services import command_retention, device_retention, retention, sms_retention


@shared_task(name="devices.prune_history", expires=3600)
def prune_history() -> None:
    """Beat: every hour or so."""
    now = timezone.now()
    retention.prune(now=now)
    sms_retention.prune(now=now)
    command_retention.prune(now=now)
    device_retention.prune(now=now)

"""Doorbells of this room."""

from importlib import import_module

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from knox.models import AuthToken


@shared_task(name="accounts.clear_expired")
def clear_expired() -> None:
    """Delete sessions and API tokens whose time is over; they open nothing, this keeps the tables small."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    AuthToken.objects.filter(expiry__lt=timezone.now()).delete()

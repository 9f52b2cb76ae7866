"""Doorbells of this room."""

from importlib import import_module

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from knox.models import AuthToken

from accounts.services import admin_log


@shared_task(name="accounts.clear_expired")
def clear_expired() -> None:
    """Delete sessions, API tokens and entries of the admin's log whose time is over, to keep the tables small."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    AuthToken.objects.filter(expiry__lt=timezone.now()).delete()
    admin_log.prune(now=timezone.now())

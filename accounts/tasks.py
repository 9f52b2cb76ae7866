"""Doorbells of this room."""

from importlib import import_module

from celery import shared_task
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from knox.models import AuthToken

from accounts.models import BulkJob
from accounts.services import admin_log, bulk

_RETRY = {"autoretry_for": (OperationalError, InterfaceError), "max_retries": 5, "default_retry_delay": 2}


@shared_task(name="accounts.clear_expired")
def clear_expired() -> None:
    """Delete sessions, API tokens and entries of the admin's log whose time is over, to keep the tables small."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    AuthToken.objects.filter(expiry__lt=timezone.now()).delete()
    admin_log.prune(now=timezone.now())


@shared_task(name=bulk.TASK, **_RETRY)
def run_bulk(job_id: int) -> None:
    """A bulk job has rows left: do some, and ring again."""
    job = BulkJob.objects.select_related("requested_by").filter(pk=job_id, ended_at=None).first()
    if job is None:
        return
    model_admin = admin.site.get_model_admin(apps.get_model(job.model))
    if not model_admin.go_on(job):
        bulk.ring(job_id)


@shared_task(name="accounts.sweep_bulk", **_RETRY)
def sweep_bulk() -> None:
    """Ring for bulk jobs whose bell was lost."""
    bulk.sweep(now=timezone.now())

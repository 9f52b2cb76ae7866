"""Doorbells of this room: each reads an id and calls one service. Safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.apps import apps
from django.contrib import admin
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from accounts.models import BulkJob
from accounts.services import bulk
from backoffice import bells

_RETRY = {"autoretry_for": (OperationalError, InterfaceError), "max_retries": 5, "default_retry_delay": 2}


@shared_task(name=bells.BULK, **_RETRY)
def run_bulk(job_id: int) -> None:
    """A bulk job has rows left: do some as its list knows how, and ring again."""
    job = BulkJob.objects.select_related("requested_by").filter(pk=job_id, ended_at=None).first()
    if job is None:
        return
    model_admin = admin.site.get_model_admin(apps.get_model(job.model))
    if not model_admin.go_on(job):
        bells.bulk(job_id)


@shared_task(name="backoffice.sweep_bulk", **_RETRY)
def sweep_bulk() -> None:
    """Ring for bulk jobs whose bell was lost."""
    bulk.sweep(now=timezone.now(), ring=bells.bulk)

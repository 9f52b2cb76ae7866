"""Doorbells for Celery: each reads an id and calls one service. Safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from devices.commands.models import Command
from devices.commands.services import command_retention
from devices.inventory.services import credential_retention
from devices.messaging.services import sms_retention
from devices.observations.services import observation_retention
from devices.telemetry.services import retention, trace_retention
from provisioning import correlations
from provisioning.models import JobStep
from provisioning.services import jobs, reachability, record_retention, sweep

_RETRY = {"autoretry_for": (OperationalError, InterfaceError), "max_retries": 5, "default_retry_delay": 2}


@shared_task(name="provisioning.advance", **_RETRY)
def advance(job_id: int) -> None:
    """A job may have something to do."""
    jobs.advance(job_id=job_id)


@shared_task(name="provisioning.device_heard", **_RETRY)
def device_heard(device_id: int) -> None:
    """A device that is not applied yet registered or updated."""
    jobs.device_heard(device_id=device_id)


@shared_task(name="provisioning.command_settled", **_RETRY)
def command_settled(command_id: int) -> None:
    """A command that a step waits for ended."""
    correlation = Command.objects.filter(pk=command_id).values_list("correlation", flat=True).first() or ""
    step_id = correlations.step_id(correlation)
    if step_id is None:
        return
    job_id = JobStep.objects.filter(pk=step_id).values_list("job_id", flat=True).first()
    if job_id is not None:
        jobs.advance(job_id=job_id)


@shared_task(name="provisioning.look_for_silent", expires=60)
def look_for_silent() -> None:
    """Beat: once a minute, because it reads every registration."""
    reachability.look(now=timezone.now())


@shared_task(name="provisioning.climb", expires=5)
def climb() -> None:
    """Beat: every few seconds; apart from the sweep, so that an outage holds up no job."""
    reachability.climb(now=timezone.now())


@shared_task(name="provisioning.prune_attempts")
def prune_attempts() -> None:
    """Beat: once in a while."""
    now = timezone.now()
    reachability.prune(now=now)
    record_retention.prune(now=now)


@shared_task(name="provisioning.sweep", expires=30)
def run_sweep() -> None:
    """Beat: every few seconds."""
    sweep.run(now=timezone.now())


@shared_task(name="provisioning.prune_records", expires=3600)
def prune_records() -> None:
    """Beat: every hour or so."""
    now = timezone.now()
    retention.prune(now=now)
    sms_retention.prune(now=now)
    command_retention.prune(now=now)
    observation_retention.prune(now=now)
    credential_retention.prune(now=now)
    trace_retention.prune(now=now)

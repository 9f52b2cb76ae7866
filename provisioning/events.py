"""What this room says to the others: after commit, by name; see `devices.inventory.events` for how it is carried."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction

from devices.inventory import events as devices_events
from live import bells
from provisioning.models import BootstrapSession, Job


def jobs_ready(job_ids: Iterable[int]) -> None:
    """Ring for these jobs: there may be something to do."""
    tasks = [("provisioning.advance", job_id) for job_id in job_ids]
    if tasks:
        transaction.on_commit(partial(bells.tasks, tasks))


def job_changed(job: Job) -> None:
    devices_events.device_changed(job.device_id, job.operator_id, ["job"])


def session_changed(session: BootstrapSession) -> None:
    devices_events.device_changed(session.device_id, session.operator_id, ["bootstrap"])

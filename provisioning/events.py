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
    _ring("provisioning.advance", job_ids)


def devices_heard(device_ids: Iterable[int]) -> None:
    """These devices spoke while their set-up is under way."""
    _ring("provisioning.device_heard", device_ids)


def commands_settled(command_ids: Iterable[int]) -> None:
    """These commands ended, which somebody waits for."""
    _ring("provisioning.command_settled", command_ids)


def _ring(task: str, ids: Iterable[int]) -> None:
    calls = [(task, one) for one in ids]
    if calls:
        transaction.on_commit(partial(bells.tasks, calls))


def job_changed(job: Job) -> None:
    devices_events.device_changed(job.device_id, job.operator_id, ["job"])


def session_changed(session: BootstrapSession) -> None:
    devices_events.device_changed(session.device_id, session.operator_id, ["bootstrap"])

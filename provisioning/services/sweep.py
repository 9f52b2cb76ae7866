"""The sweep finds, every few seconds, what a lost bell, a dead process or the time itself left behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from audit import ledger
from devices.commands.services import mailbox
from devices.inventory import locks
from provisioning import events
from provisioning.models import JOB_OPEN, Job, JobStep, StepState
from provisioning.services import sessions
from provisioning.steps import KINDS

RING_AGAIN_SECONDS = 20
"""After the sweep rang for a job, how long it waits before it rings again."""
LIMIT = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many of each were found."""

    commands_expired: int
    sessions_ended: int
    jobs_rung: int


def run(*, now: datetime) -> Swept:
    """Expire commands, end stuck bootstrap sessions, ring for due jobs. Safe to run twice, and at once."""
    expired = mailbox.expire_overdue(now=now)
    ended = sessions.expire_stuck(now=now)
    return Swept(expired, ended, _ring(due(now=now), now))


def due(*, now: datetime, limit: int = LIMIT) -> list[int]:
    """Jobs that nobody rang for lately: overdue ones, and waiting ones whose condition has come true."""
    unrung = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    overdue = Job.objects.open().filter(unrung, next_run_at__lte=now).order_by("next_run_at")
    found = dict.fromkeys(overdue.values_list("pk", flat=True)[:limit])
    job_unrung = Q(job__lease_until__isnull=True) | Q(job__lease_until__lte=now)
    for kind, module in KINDS.items():
        condition = module.due()
        if condition is None or len(found) >= limit:
            continue
        steps = JobStep.objects.filter(job_unrung, condition, kind=kind, state=StepState.WAITING)
        steps = steps.filter(job__state__in=JOB_OPEN).order_by()
        found.update(dict.fromkeys(steps.values_list("job_id", flat=True)[: limit - len(found)]))
    return list(found)


def _ring(job_ids: list[int], now: datetime) -> int:
    if not job_ids:
        return 0
    with ledger.unit_of_work():
        idle = locks.rows(Job.objects.filter(pk__in=job_ids), skip_locked=True)  # the others are worked at
        ids = [job.pk for job in idle.only("pk").order_by("pk")]
        Job.objects.filter(pk__in=ids).update(lease_until=now + timedelta(seconds=RING_AGAIN_SECONDS))
        events.jobs_ready(ids)
    return len(ids)

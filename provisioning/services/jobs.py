"""Jobs: created, advanced step by step, retried and cancelled.

The rows are the truth and a bell is a hint: `advance` may be called at any time, twice, or at once in two
workers. Lock order: device, then job.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from accounts.errors import Refused
from audit import isolation, ledger
from audit.actions import Action
from audit.causes import CAUSES
from devices.commands.services import mailbox
from devices.inventory import locks
from devices.inventory.models import Device
from devices.inventory.services import devices
from devices.inventory.states import MOVES, Access, Provisioning
from provisioning import events
from provisioning.models import Job, JobKind, JobState, JobStep, StepState
from provisioning.selectors import contacts
from provisioning.steps import KINDS, NEEDS_NOBODY, plan
from provisioning.steps.results import Done, Failed, Skipped, StepResult, Waiting

logger = logging.getLogger(__name__)

_OVER = (StepState.DONE, StepState.SKIPPED)
_ENDED = {
    JobState.DONE: Action.JOB_DONE,
    JobState.FAILED: Action.JOB_FAILED,
    JobState.CANCELLED: Action.JOB_CANCELLED,
}
_STEPS = {
    StepState.RUNNING: Action.JOB_STEP_RUNNING,
    StepState.WAITING: Action.JOB_STEP_WAITING,
    StepState.DONE: Action.JOB_STEP_DONE,
    StepState.SKIPPED: Action.JOB_STEP_SKIPPED,
    StepState.FAILED: Action.JOB_STEP_FAILED,
}


def create(
    *,
    device: Device,
    kind: str = JobKind.PROVISION,
    requested_by: str,
    reason: str = "",
    now: datetime | None = None,
) -> Job:
    """A job with its steps; Celery starts on it after the commit. Refused while one of the kind is open."""
    now = now or timezone.now()
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        if locked.access == Access.RETIRED:
            raise Refused("DEVICE_REMOVED")
        if Job.objects.filter(device=locked, kind=kind).open().exists():
            raise Refused("JOB_RUNS_ALREADY")
        (job,) = _made([locked], kind, requested_by, reason, now)
        if locked.provisioning == Provisioning.FAILED:
            devices.set_provisioning(device=locked, state=Provisioning.DRAFT)
        _record(Action.JOB_CREATED, job, locked, reason=reason)
        events.jobs_ready([job.pk])
        events.job_changed(job)
    return job


def prepare(*, job_id: int, now: datetime | None = None) -> None:
    """Take the steps that need nobody, in the caller's transaction: what it made is ready when it is told so.

    What goes wrong here goes wrong again, and is said, when the job's bell rings.
    """
    at = now or timezone.now()
    try:
        with ledger.unit_of_work():
            while _next_kind(job_id) in NEEDS_NOBODY and _one_step(job_id, at):
                pass
    except isolation.LOST:
        raise
    except Exception:
        logger.exception("step_crashed job_id=%s", job_id)


def _next_kind(job_id: int) -> str | None:
    rows = JobStep.objects.filter(job_id=job_id).exclude(state__in=_OVER).order_by("position")
    return rows.values_list("kind", flat=True).first()


def create_many(
    *, devices: Sequence[Device], kind: str = JobKind.PROVISION, requested_by: str, reason: str, now: datetime
) -> list[Job]:
    """The same for devices that were made in this very transaction, in few statements."""
    with ledger.unit_of_work():
        jobs = _made(devices, kind, requested_by, reason, now)
        ledger.record_many([_event(Action.JOB_CREATED, job, job.device, reason=reason) for job in jobs])
        events.jobs_ready([job.pk for job in jobs])
    return jobs


def _made(devices: Sequence[Device], kind: str, requested_by: str, reason: str, now: datetime) -> list[Job]:
    """The rows of jobs and of their steps."""
    jobs = Job.objects.bulk_create(
        Job(
            operator_id=device.operator_id,
            device=device,
            kind=kind,
            requested_by=requested_by,
            reason=reason,
            created_at=now,
            next_run_at=now,
        )
        for device in devices
    )
    JobStep.objects.bulk_create(
        JobStep(job=job, position=position, kind=step)
        for job in jobs
        for position, step in enumerate(plan(kind, job.device.reach), start=1)
    )
    return jobs


def advance(*, job_id: int, now: datetime | None = None) -> str | None:
    """Do whatever can be done now and return the job's state; None for a job that is gone."""
    for _ in range(len(KINDS) + 1):
        at = now or timezone.now()
        try:
            goes_on = _one_step(job_id, at)
        except isolation.LOST:
            raise  # a deadlock or a lost connection: the bell rings again
        except Exception as error:
            logger.exception("step_crashed job_id=%s", job_id)
            goes_on = _crashed(job_id, at, error)
        if not goes_on:
            break
    return Job.objects.filter(pk=job_id).values_list("state", flat=True).first()


def _one_step(job_id: int, now: datetime) -> bool:
    """Run the first step that is not over, in a transaction of its own; True when the next may follow."""
    with ledger.unit_of_work():
        locked = _lock(job_id)
        if locked is None:
            return False
        device, job = locked
        step = job.steps.exclude(state__in=_OVER).order_by("position").first()
        if step is None:
            _end(job, device, JobState.DONE, now)
            return False
        if step.started_at is None:
            step.started_at = now
        step.job = job
        step.attempts += 1
        try:
            result = KINDS[step.kind].run(step=step, device=device, now=now)
        except Refused as error:
            result = Failed(error.cause, error.recorded)
        return _apply(job, step, device, result, now)


def _lock(job_id: int) -> tuple[Device, Job] | None:
    """The device and the open job, locked in this order; None when the job is over."""
    device_id = Job.objects.filter(pk=job_id).open().values_list("device_id", flat=True).first()
    if device_id is None:
        return None
    device = locks.device_with_operator(device_id)
    job = locks.rows(Job.objects.open()).filter(pk=job_id).first()
    return None if job is None else (device, job)


def _apply(job: Job, step: JobStep, device: Device, result: StepResult, now: datetime) -> bool:
    before = (step.state, step.cause)
    match result:
        case Done(data, cause, detail):
            _set(step, StepState.DONE, cause, detail, data, finished_at=now)
        case Skipped():
            _set(step, StepState.SKIPPED, finished_at=now)
        case Waiting(cause, detail, data, again_at):
            _set(step, StepState.WAITING, cause, detail, data)
            _set_job(job, JobState.WAITING, cause, again_at)
        case Failed(cause, detail):
            _set(step, StepState.FAILED, cause, detail, finished_at=now)
    if (step.state, step.cause) != before:
        _record_step(job, step, device)
        events.job_changed(job)
    if step.state == StepState.FAILED:
        _end(job, device, JobState.FAILED, now, cause=step.cause)
        return False
    if step.state == StepState.WAITING:
        return False
    _set_job(job, JobState.RUNNING, "", now)
    return True


def _set(
    step: JobStep,
    state: StepState,
    cause: str = "",
    detail: str = "",
    data: object = None,
    *,
    finished_at: datetime | None = None,
) -> None:
    step.state, step.cause, step.detail, step.finished_at = state, cause, detail[:1000], finished_at
    if data:
        step.data = {**step.data, **dict(data)}  # type: ignore[call-overload]
    step.save(update_fields=["state", "cause", "detail", "data", "attempts", "started_at", "finished_at"])


def _set_job(job: Job, state: JobState, cause: str, next_run_at: datetime | None) -> None:
    job.state, job.cause, job.next_run_at, job.lease_until = state, cause, next_run_at, None
    job.save(update_fields=["state", "cause", "next_run_at", "lease_until"])


def _crashed(job_id: int, now: datetime, error: Exception) -> bool:
    """What nobody expected ends the job where an operator can see it; its transaction was rolled back."""
    with ledger.unit_of_work():
        locked = _lock(job_id)
        if locked is None:
            return False
        device, job = locked
        step = job.steps.exclude(state__in=_OVER).order_by("position").first()
        if step is None:
            return False
        step.started_at = step.started_at or now
        step.attempts += 1
        return _apply(job, step, device, Failed("INTERNAL_ERROR", type(error).__name__), now)


def _end(
    job: Job, device: Device, state: JobState, now: datetime, *, cause: str = "", reason: str = ""
) -> None:
    job.finished_at = now
    job.save(update_fields=["finished_at"])
    _set_job(job, state, cause, None)
    if state == JobState.DONE and job.kind == JobKind.PROVISION:
        devices.set_provisioning(device=device, state=Provisioning.APPLIED)
    if state == JobState.FAILED and Provisioning.FAILED in MOVES[Provisioning][device.provisioning]:
        devices.set_provisioning(device=device, state=Provisioning.FAILED, cause=cause)
    result = "failed" if state == JobState.FAILED else "ok"
    _record(_ENDED[state], job, device, result=result, cause=cause, reason=reason)
    events.job_changed(job)


def retry(*, job_id: int, requested_by: str, reason: str = "", now: datetime | None = None) -> Job:
    """A new job in place of one that failed or was cancelled; what it did stays done."""
    old = Job.objects.select_related("device").get(pk=job_id)
    if old.state not in (JobState.FAILED, JobState.CANCELLED):
        raise Refused("JOB_CANNOT_BE_RETRIED", state=JobState(old.state))
    return create(
        device=old.device,
        kind=old.kind,
        requested_by=requested_by,
        reason=reason or f"Again, after job #{old.pk}",
        now=now,
    )


def cancel(*, job_id: int, reason: str = "", now: datetime | None = None) -> bool:
    """End an open job and take back its commands; False when it was over already."""
    now = now or timezone.now()
    with ledger.unit_of_work():
        locked = _lock(job_id)
        if locked is None:
            return False
        device, job = locked
        waiting = device.commands.filter(requested_by=f"job:{job.pk}").values_list("pk", flat=True)
        for command_id in list(waiting):
            mailbox.cancel(command_id=command_id, reason=reason, now=now)
        _end(job, device, JobState.CANCELLED, now, reason=reason)
    return True


def wake(*, device_id: int, now: datetime) -> list[int]:
    """Make the device's open jobs due and ring for them; part of the caller's unit of work."""
    open_jobs = locks.rows(Job.objects.open()).filter(device_id=device_id).order_by("pk")
    ids = [job.pk for job in open_jobs.only("pk")]
    Job.objects.filter(pk__in=ids).update(next_run_at=now, lease_until=None)
    events.jobs_ready(ids)
    return ids


def device_heard(*, device_id: int, now: datetime | None = None) -> None:
    """The device registered or updated: its jobs may go on; without one its registration is proof."""
    open_jobs = Job.objects.filter(device_id=device_id).open()
    ids = list(open_jobs.order_by("pk").values_list("pk", flat=True))
    for job_id in ids:
        advance(job_id=job_id, now=now)
    if not ids:
        _welcome_back(device_id, now or timezone.now())


def _welcome_back(device_id: int, now: datetime) -> None:
    """A device without an open job registered: after a factory reset, or after it had been given up as silent."""
    with ledger.unit_of_work():
        device = locks.owner(pk=device_id, access=Access.ACTIVE)
        if device is None or device.provisioning in (Provisioning.APPLIED, Provisioning.DRAFT):
            return
        session = device.bootstrap_sessions.order_by("-pk").first()
        live = contacts.registration(device, since=session.started_at if session else device.created_at)
        last = device.jobs.order_by("-pk").first()
        if live is None or last is None:
            return
        if last.state == JobState.DONE:
            if device.provisioning == Provisioning.FAILED:
                devices.set_provisioning(device=device, state=Provisioning.READY)
            devices.set_provisioning(device=device, state=Provisioning.APPLIED)
        elif last.state == JobState.FAILED and last.cause in CAUSES and CAUSES[last.cause].area == "reach":
            create(device=device, kind=last.kind, requested_by="device", reason="It is back", now=now)


def _record_step(job: Job, step: JobStep, device: Device) -> None:
    result = "failed" if step.state == StepState.FAILED else "ok"
    _record(
        _STEPS[StepState(step.state)],
        job,
        device,
        result=result,
        cause=step.cause,
        detail={"step": step.kind, "position": step.position, "attempts": step.attempts, "note": step.detail},
    )


def _record(
    action: Action,
    job: Job,
    device: Device,
    *,
    result: str = "ok",
    cause: str = "",
    reason: str = "",
    detail: dict[str, object] | None = None,
) -> None:
    event = _event(action, job, device, result=result, cause=cause, reason=reason, detail=detail)
    ledger.record_many([event])


def _event(
    action: Action,
    job: Job,
    device: Device,
    *,
    result: str = "ok",
    cause: str = "",
    reason: str = "",
    detail: dict[str, object] | None = None,
) -> ledger.Event:
    return ledger.Event(
        action=action,
        operator_id=job.operator_id,
        device_id=device.pk,
        subscriber_id=device.subscriber_id,
        job_id=job.pk,
        target=device.endpoint,
        result=result,
        cause=cause,
        reason=reason,
        detail={"kind": job.kind, "requested_by": job.requested_by, **(detail or {})},
    )

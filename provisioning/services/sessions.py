"""Bootstrap sessions: who may have one and with which plan, each exchange, and how it ended.

Only one runs per device, the newest (reference 4.2). The machine of a session is `lwm2m.bootstrap.Session`;
this is what stays of it. Lock order: device, then session, then job.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from audit import causes, isolation, ledger
from audit.actions import Action
from devices.inventory import locks
from devices.inventory.models import Device
from devices.inventory.services import credentials, devices
from devices.inventory.states import MOVES, Provisioning
from devices.messaging.services import triggers
from devices.registry.models import Transport
from lwm2m.bootstrap import BootstrapPlan, Finished
from lwm2m.messages import BootstrapRequest
from lwm2m.registration import Origin
from provisioning import events
from provisioning.models import BootstrapExchange, BootstrapSession, SessionState
from provisioning.services import doorkeeper, jobs

STUCK_SECONDS = 247
"""EXCHANGE_LIFETIME: after this long without a next request the client has given up."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that runs now. The plan carries keys: it is never printed.

    `superseded_id` is the session that ran before; whoever runs it has to stop.
    """

    session_id: int
    device_id: int
    plan: BootstrapPlan = field(repr=False)
    content_format: int
    superseded_id: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of ours and its answer; `response_code` like "2.04", empty when none came."""

    operation: str
    path: str
    sent_at: datetime
    answered_at: datetime | None = None
    response_code: str = ""
    cause: str = ""
    detail: str = ""


def begin(*, request: BootstrapRequest, origin: Origin, credential_id: int | None, now: datetime) -> Begun:
    """Open a session for a Bootstrap-Request, or raise `Lwm2mError` with the code to answer and its cause.

    `credential_id` is what the DTLS handshake used, None over plain CoAP. A device that knocks while its job
    still prepares is prepared here and now.
    """
    device = doorkeeper.admit(request=request, origin=origin, credential_id=credential_id)
    content_format = doorkeeper.content_format(request)
    if device.provisioning == Provisioning.DRAFT:
        _prepare(device, now)
    with ledger.unit_of_work():
        device = locks.device_with_operator(device.pk)
        doorkeeper.check(device, origin)
        rendered = doorkeeper.plan(device, origin)
        superseded_id = _supersede(device, now)
        session = BootstrapSession.objects.create(
            operator_id=device.operator_id,
            device=device,
            transport=origin.transport,
            host=origin.host,
            port=origin.port,
            content_format=content_format,
            credential_id_written=rendered.credential_id,
            started_at=now,
            last_progress_at=now,
        )
        devices.set_provisioning(device=device, state=Provisioning.BOOTSTRAPPING)
        if credential_id is not None:
            credentials.first_use(credential_ids=[credential_id], now=now)
        triggers.heard(device_ids=[device.pk], how="bootstrap", now=now)
        _record(Action.BOOTSTRAP_STARTED, session, device)
        jobs.wake(device_id=device.pk, now=now)
        events.session_changed(session)
    return Begun(session.pk, device.pk, rendered.plan, content_format, superseded_id)


def _prepare(device: Device, now: datetime) -> None:
    open_jobs = device.jobs.open().order_by("pk").values_list("pk", flat=True)
    for job_id in list(open_jobs):
        jobs.advance(job_id=job_id, now=now)


def _supersede(device: Device, now: datetime) -> int | None:
    running = locks.rows(BootstrapSession.objects).filter(device=device, state=SessionState.RUNNING).first()
    if running is None:
        return None
    _close(running, SessionState.SUPERSEDED, "BOOTSTRAP_SUPERSEDED", "", now)
    _record(Action.BOOTSTRAP_SUPERSEDED, running, device)
    return running.pk


def record(*, session_id: int, exchange: Exchange) -> bool:
    """Keep one exchange; False when the session no longer runs, and then its runner has to stop."""
    with ledger.unit_of_work():
        session = locks.rows(BootstrapSession.objects).filter(pk=session_id).first()
        if session is None or session.state != SessionState.RUNNING:
            return False
        BootstrapExchange.objects.create(
            session=session,
            position=session.exchanges.count() + 1,
            operation=exchange.operation,
            path=exchange.path,
            sent_at=exchange.sent_at,
            answered_at=exchange.answered_at,
            response_code=exchange.response_code,
            cause=exchange.cause,
            detail=exchange.detail[:500],
        )
        session.last_progress_at = exchange.answered_at or exchange.sent_at
        session.save(update_fields=["last_progress_at"])
        events.session_changed(session)
    return True


_ENDS: dict[str, tuple[SessionState, str]] = {
    "done": (SessionState.DONE, ""),
    "finished_with_errors": (SessionState.DONE_WITH_ERRORS, "BOOTSTRAP_WRITE_REFUSED"),
    "write_refused": (SessionState.FAILED, "BOOTSTRAP_WRITE_REFUSED"),
    "finish_failed": (SessionState.FINISH_REFUSED, "BOOTSTRAP_FINISH_REFUSED"),
    "transport_failed": (SessionState.FAILED, "BOOTSTRAP_TIMEOUT"),
}


def finish(*, session_id: int, finished: Finished, now: datetime) -> bool:
    """Write how a session ended and ring its job; False when it was over already."""
    state, usual_cause = _ENDS[finished.result]
    cause = finished.cause if finished.cause in causes.CAUSES else usual_cause
    with ledger.unit_of_work():
        device = locks.owner(bootstrap_sessions=session_id)
        if device is None:
            return False
        session = locks.rows(BootstrapSession.objects).get(pk=session_id)
        if session.state != SessionState.RUNNING:
            return False
        _close(session, state, cause, finished.detail, now)
        has_job = bool(jobs.wake(device_id=device.pk, now=now))
        _move(device, state, cause, has_job)
        _record(Action.BOOTSTRAP_ENDED, session, device)
        events.session_changed(session)
    return True


def _move(device: Device, state: SessionState, cause: str, has_job: bool) -> None:
    """A job takes the device to `applied` when it registers; without one what was written has to do."""
    if state in (SessionState.DONE, SessionState.DONE_WITH_ERRORS):
        target = Provisioning.BOOTSTRAPPING if has_job else Provisioning.APPLIED
    elif state == SessionState.FINISH_REFUSED:
        target = Provisioning.FAILED
    else:
        target = Provisioning.READY  # the next contact goes on
    if target == device.provisioning or target in MOVES[Provisioning][device.provisioning]:
        devices.set_provisioning(device=device, state=target, cause=cause)


def expire_stuck(*, now: datetime, limit: int = 200) -> int:
    """End sessions whose client has given up by now; returns how many."""
    patience = settings.SMS_ACK_SECONDS * 2 + settings.SMS_RESPONSE_SECONDS
    quick = Q(last_progress_at__lt=now - timedelta(seconds=STUCK_SECONDS)) & ~Q(transport=Transport.SMS)
    by_sms = Q(last_progress_at__lt=now - timedelta(seconds=STUCK_SECONDS + patience))
    stuck = BootstrapSession.objects.filter(quick | by_sms, state=SessionState.RUNNING)
    detail = f"No progress for {STUCK_SECONDS} s; the device begins anew at its next contact."
    gone = Finished("transport_failed", "BOOTSTRAP_TIMEOUT", detail)
    ids = list(stuck.values_list("pk", flat=True)[:limit])
    return isolation.one_by_one(
        ids, lambda pk: finish(session_id=pk, finished=gone, now=now), what="session_expiry"
    )


def end_running(*, device: Device, cause: str, detail: str, now: datetime) -> None:
    """End what runs for a device that the caller has locked."""
    for session in locks.rows(BootstrapSession.objects).filter(device=device, state=SessionState.RUNNING):
        _close(session, SessionState.FAILED, cause, detail, now)
        _record(Action.BOOTSTRAP_ENDED, session, device)
        events.session_changed(session)


def _close(session: BootstrapSession, state: SessionState, cause: str, detail: str, now: datetime) -> None:
    session.state, session.cause, session.detail, session.finished_at = state, cause, detail[:1000], now
    session.save(update_fields=["state", "cause", "detail", "finished_at"])


_RESULTS = {SessionState.FINISH_REFUSED: "refused", SessionState.FAILED: "failed"}


def _record(action: Action, session: BootstrapSession, device: Device) -> None:
    """Of a device without keys anybody can begin a session, as often as they like."""
    event = ledger.Event(
        by_stranger=device.security_mode.is_anonymous,
        action=action,
        operator_id=session.operator_id,
        actor=ledger.Actor("device", str(device.pk), device.endpoint),
        device_id=device.pk,
        subscriber_id=device.subscriber_id,
        target=device.endpoint,
        result=_RESULTS.get(SessionState(session.state), "ok"),
        cause=session.cause,
        detail={
            "session_id": session.pk,
            "state": session.state,
            "transport": session.transport,
            "content_format": session.content_format,
            "note": session.detail,
        },
    )
    ledger.record_many([event])

"""What the ledger says of a device that was looked for: who, what, why, by which cause."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit import ledger
from audit.actions import Action
from devices.inventory.models import Device
from devices.inventory.services import device_trail
from provisioning.ladder import AttemptState, ReachAttempt
from provisioning.rungs.results import RungResult, Skipped


def missed(device: Device, attempt: ReachAttempt, now: datetime) -> None:
    """The device did not come in the time it was given, and something is going to be done."""
    _record(
        device,
        Action.REACH_MISSED,
        now,
        cause="CONTACT_MISSED",
        detail={"attempt": attempt.pk, "expected_at": attempt.missed_at.isoformat()},
    )


def rung(device: Device, attempt: ReachAttempt, kind: str, result: RungResult, now: datetime) -> None:
    """One rung: taken because of the missed contact, or left out and why."""
    detail = {"attempt": attempt.pk, "rung": kind, **({"said": result.detail} if result.detail else {})}
    if isinstance(result, Skipped):
        _record(device, Action.REACH_SKIPPED, now, cause=result.cause, detail=detail)
    elif result.ticket_cause:
        detail["expected_at"] = attempt.missed_at.isoformat()
        _record(device, Action.REACH_TICKET, now, result="failed", cause=result.ticket_cause, detail=detail)
    else:
        _record(device, Action.REACH_TAKEN, now, cause="CONTACT_MISSED", detail=detail)


def ended(device: Device, attempt: ReachAttempt, now: datetime) -> None:
    """The device was heard, or nobody looks for it any more."""
    if attempt.state == AttemptState.REACHED:
        took = round((now - attempt.missed_at).total_seconds())
        detail = {"attempt": attempt.pk, "rung": attempt.reached_by, "late_seconds": max(0, took)}
        _record(device, Action.REACH_REACHED, now, detail=detail)
    else:
        _record(device, Action.REACH_CANCELLED, now, cause=attempt.cause, detail={"attempt": attempt.pk})


def _record(
    device: Device,
    action: Action,
    now: datetime,
    *,
    result: str = "ok",
    cause: str = "",
    detail: dict[str, Any],
) -> None:
    device_trail.record(
        device,
        action,
        actor=ledger.SYSTEM,
        result=result,
        cause=cause,
        detail=detail,
        at=now,
    )

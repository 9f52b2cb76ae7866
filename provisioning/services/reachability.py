"""The reachability ladder: finds devices that missed their contact, takes rung after rung, stops when they are heard.

`look` is the scan, once a minute: it reads the hot registration rows from end to end. `climb` belongs to the sweep and
reads only attempts. Every attempt is worked off in a unit of its own, and so many in a sweep: an outage of 100,000
devices fills a queue, not the mailboxes and the SMSC. Lock order: device, attempt, command.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Sum

from audit import ledger
from devices import events, waking
from devices.models import Command, CommandState, Device
from devices.services import mailbox
from devices.states import Access
from provisioning import rungs
from provisioning.ladder import AttemptState, ReachAttempt, ReachPolicy
from provisioning.rungs.results import Skipped, Taken
from provisioning.selectors import silence
from provisioning.services import reach_history, reach_policies

LOOK_LIMIT = 5_000
"""Attempts opened by one scan; the rest is found a minute later."""
STEP_LIMIT = 200
"""Rungs taken for one operator in one sweep."""
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Climbed:
    """How many attempts ended because the device was heard, and for how many a rung was taken."""

    ended: int
    stepped: int


def look(*, now: datetime, limit: int = LOOK_LIMIT) -> int:
    """Open an attempt for each device that missed its contact and has none for this silence; returns how many."""
    reach_policies.ensure_all()
    policies = {policy.pk: policy for policy in ReachPolicy.objects.filter(is_enabled=True)}
    early = max((policy.early_seconds for policy in policies.values()), default=0)
    found = [
        *silence.of_registrations(policies, now=now, early_seconds=early, limit=limit),
        *silence.of_end_devices(policies, now=now, limit=limit),
    ]
    opened = [_opened(missed, policies[missed.operator_id], now) for missed in found]
    ReachAttempt.objects.bulk_create(opened, ignore_conflicts=True, batch_size=500)
    events.devices_changed([(missed.device_id, missed.operator_id) for missed in found], ["reach"])
    return len(opened)


def _opened(missed: silence.Missed, policy: ReachPolicy, now: datetime) -> ReachAttempt:
    plan = rungs.plan(policy.waits)
    attempt = ReachAttempt(
        operator_id=missed.operator_id,
        device_id=missed.device_id,
        missed_at=missed.missed_at,
        silent_since=missed.silent_since,
        opened_at=now,
        plan=plan,
        next_at=now,
    )
    if plan[0][0] in rungs.IDLE:  # most come by themselves: nothing is to be locked or written for these
        attempt.position = 1
        attempt.taken = [_note(plan[0][0], missed.missed_at)]
        attempt.next_at = max(now, missed.missed_at + timedelta(seconds=plan[0][1]))
    return attempt


def climb(*, now: datetime, limit: int = STEP_LIMIT) -> Climbed:
    """End the attempts of devices that were heard, and take the next rung of those that are due."""
    ended = _end_answered(now)
    stepped = 0
    all_due = ReachAttempt.objects.filter(state=AttemptState.OPEN, next_at__lte=now).order_by()
    for operator_id in list(all_due.values_list("operator_id", flat=True).distinct()):
        due = all_due.filter(operator_id=operator_id).order_by("next_at")
        free = due.filter(next_costs_sms=False).values_list("pk", flat=True)[:limit]
        stepped += sum(_step(pk, now, may_send_sms=False) for pk in list(free))
        costly = list(due.filter(next_costs_sms=True).values_list("pk", flat=True)[:limit])
        drawn = reach_policies.draw_sms(operator_id=operator_id, wanted=len(costly), now=now)
        stepped += sum(_step(pk, now, may_send_sms=True) for pk in costly[:drawn])
    return Climbed(ended, stepped)


def _end_answered(now: datetime, limit: int = 500) -> int:
    over = ReachAttempt.objects.filter(silence.answered(), state=AttemptState.OPEN)
    found = list(over.order_by("has_acted", "pk").values_list("pk", "has_acted")[: 10 * limit])
    idle = [pk for pk, has_acted in found if not has_acted]
    if idle:
        ReachAttempt.objects.filter(pk__in=idle, has_acted=False, state=AttemptState.OPEN).delete()
    acted = [pk for pk, has_acted in found if has_acted][:limit]
    return len(idle) + sum(_finish(pk, now) for pk in acted)


def _finish(attempt_id: int, now: datetime) -> bool:
    with ledger.unit_of_work():
        device, attempt = _locked(attempt_id)
        if attempt is None or device is None:
            return False
        _end_heard(device, attempt, now)
    return True


def _locked(attempt_id: int) -> tuple[Device | None, ReachAttempt | None]:
    device = Device.objects.select_for_update(of=("self",)).filter(reach_attempts=attempt_id).first()
    rows = ReachAttempt.objects.select_for_update().filter(pk=attempt_id, state=AttemptState.OPEN)
    return device, rows.first()


def _step(attempt_id: int, now: datetime, *, may_send_sms: bool) -> bool:
    """Take the next rung that this device can take; False when somebody else was there first."""
    with ledger.unit_of_work():
        device, attempt = _locked(attempt_id)
        if attempt is None or device is None or attempt.next_at is None or attempt.next_at > now:
            return False
        if ReachAttempt.objects.filter(silence.answered(), pk=attempt.pk).exists():
            _end_heard(device, attempt, now)
            return True
        if not attempt.has_acted:
            reach_history.missed(device, attempt, now)
        attempt.has_acted = True
        _take_next(device, attempt, now, may_send_sms)
        attempt.save()
        events.device_changed(device.pk, device.operator_id, ["reach"])
    return True


def _take_next(device: Device, attempt: ReachAttempt, now: datetime, may_send_sms: bool) -> None:
    while attempt.position < len(attempt.plan):
        kind, wait_seconds = attempt.plan[attempt.position]
        module = rungs.KINDS.get(kind)
        if module is None:  # a kind that a newer version has dropped
            attempt.position += 1
            continue
        if module.costs_sms(device) and not may_send_sms and not _is_spent(attempt):
            attempt.next_costs_sms = True  # due at once, but only when the operator's rate allows
            return
        if module.costs_sms(device) and _is_spent(attempt):
            result: Taken | Skipped = Skipped("REACH_BUDGET_SPENT")
        else:
            result = module.take(attempt=attempt, device=device, now=now)
        reach_history.rung(device, attempt, kind, result, now)
        attempt.taken = [*attempt.taken, _note(kind, now, result)]
        attempt.position += 1
        if isinstance(result, Taken) and not (wait_seconds == 0 and attempt.position == len(attempt.plan)):
            attempt.sms_count += result.sms
            attempt.next_at = now + timedelta(seconds=wait_seconds)
            attempt.next_costs_sms = _next_costs_sms(device, attempt)
            return
    attempt.state, attempt.ended_at, attempt.next_at = AttemptState.EXHAUSTED, now, None


def _next_costs_sms(device: Device, attempt: ReachAttempt) -> bool:
    """As far as can be told now; `_take_next` looks again."""
    if attempt.position >= len(attempt.plan):
        return False
    module = rungs.KINDS.get(attempt.plan[attempt.position][0])
    return module is not None and module.costs_sms(device)


def _is_spent(attempt: ReachAttempt) -> bool:
    """Whether waking this device has cost what the policy allows within 24 hours."""
    lately = ReachAttempt.objects.filter(
        device_id=attempt.device_id, opened_at__gt=attempt.next_at - timedelta(hours=24)
    ).exclude(pk=attempt.pk)
    spent = (lately.aggregate(sum=Sum("sms_count"))["sum"] or 0) + attempt.sms_count
    allowed = ReachPolicy.objects.filter(pk=attempt.operator_id).aggregate(most=Max("sms_per_day"))["most"]
    return spent >= (allowed or 0)


def _end_heard(device: Device, attempt: ReachAttempt, now: datetime) -> None:
    """The attempt has nothing left to look for; what still waits in the mailbox for its sake is taken back."""
    if not attempt.has_acted:
        attempt.delete()
        return
    is_void = device.access != Access.ACTIVE
    attempt.state = AttemptState.CANCELLED if is_void else AttemptState.REACHED
    attempt.cause = f"DEVICE_{device.access.upper()}" if is_void else ""
    attempt.reached_by = "" if is_void else _last_taken(attempt.taken)
    attempt.ended_at, attempt.next_at, attempt.next_costs_sms = now, None, False
    attempt.save()
    waiting = Command.objects.filter(
        device=device, state=CommandState.QUEUED, correlation=f"{waking.CORRELATION}{attempt.pk}"
    )
    for command_id in list(waiting.values_list("pk", flat=True)):
        mailbox.cancel(command_id=command_id, reason="The device was heard", now=now)
    reach_history.ended(device, attempt, now)
    events.device_changed(device.pk, device.operator_id, ["reach"])


def _last_taken(taken: Iterable[dict[str, object]]) -> str:
    done = [str(one["kind"]) for one in taken if not one.get("skipped")]
    return done[-1] if done else ""


def _note(kind: str, at: datetime, result: Taken | Skipped | None = None) -> dict[str, object]:
    note: dict[str, object] = {"kind": kind, "at": at.isoformat()}
    if isinstance(result, Skipped):
        note["skipped"] = result.cause
    if result is not None and result.detail:
        note["detail"] = result.detail
    return note


def prune(*, now: datetime) -> int:
    """Delete attempts that ended long ago; the ledger keeps what happened."""
    gone, _ = ReachAttempt.objects.filter(ended_at__lt=now - KEPT).delete()
    return gone

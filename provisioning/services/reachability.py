"""The reachability ladder: finds devices that missed their contact, takes rung after rung, stops when they are heard.

`look` is the scan, once a minute: it reads the hot registration rows from end to end. `climb`, every few seconds,
reads only attempts and takes so many rungs at a time: an outage of 100,000 devices fills a queue, not the mailboxes and
the SMSC. Lock order: devices by id, attempts, commands.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Sum

from audit import isolation, ledger
from devices.commands.models import Command, CommandState
from devices.commands.services import mailbox
from devices.inventory import events, locks
from devices.inventory.models import Device
from devices.inventory.states import Access
from provisioning import correlations, rungs
from provisioning.ladder import AttemptState, ReachAttempt, ReachPolicy
from provisioning.rungs.results import Skipped, Taken
from provisioning.selectors import silence
from provisioning.services import handed_over, reach_history, reach_policies

logger = logging.getLogger(__name__)

LOOK_LIMIT = 5_000
"""Attempts opened by one scan; the rest is found a minute later."""
STEP_LIMIT = 200
"""Rungs taken for one operator at a time."""
BATCH = 20
"""So many in one transaction: the heads of the ledger are locked once for them."""
KEPT = timedelta(days=90)
BROKEN = "INTERNAL_ERROR"


@dataclass(frozen=True, slots=True)
class Climbed:
    """How many attempts ended because the device was heard, and for how many a rung was taken."""

    ended: int
    stepped: int


@dataclass(frozen=True, slots=True)
class Worked:
    """How many attempts were still there to be worked off, and how many SMS that cost."""

    done: int = 0
    sms: int = 0


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
    """End the attempts of devices that were heard, and take the next rung of those that are due.

    What the support desk has and need not have any more is taken back from it.
    What cannot be done for a device or an operator ends there, with a cause; the others climb on.
    """
    ended = _end_answered(now)
    handed_over.take_back()
    all_due = ReachAttempt.objects.filter(state=AttemptState.OPEN, next_at__lte=now).order_by()
    operators = list(all_due.values_list("operator_id", flat=True).distinct())
    stepped = isolation.one_by_one(
        operators, lambda operator_id: _climb_of(operator_id, now, limit), what="climb"
    )
    return Climbed(ended, stepped)


def _climb_of(operator_id: int, now: datetime, limit: int) -> int:
    """Those of one operator. SMS are drawn from its rate beforehand, and what was not sent is given back."""
    due = ReachAttempt.objects.filter(state=AttemptState.OPEN, next_at__lte=now, operator_id=operator_id)
    due = due.order_by("next_at")
    free = due.filter(next_costs_sms=False).values_list("pk", flat=True)[:limit]
    stepped = _each(list(free), now, may_send_sms=False).done
    costly = list(due.filter(next_costs_sms=True).values_list("pk", flat=True)[:limit])
    drawn = reach_policies.draw_sms(operator_id=operator_id, wanted=len(costly), now=now)
    worked = Worked()
    try:
        worked = _each(costly[:drawn], now, may_send_sms=True)
    finally:
        reach_policies.give_back_sms(operator_id=operator_id, unused=drawn - worked.sms)
    return stepped + worked.done


def _end_answered(now: datetime, limit: int = 500) -> int:
    over = ReachAttempt.objects.filter(silence.answered(), state=AttemptState.OPEN)
    found = list(over.order_by("has_acted", "pk").values_list("pk", "has_acted")[: 10 * limit])
    idle = [pk for pk, has_acted in found if not has_acted]
    if idle:
        ReachAttempt.objects.filter(pk__in=idle, has_acted=False, state=AttemptState.OPEN).delete()
    acted = [pk for pk, has_acted in found if has_acted][:limit]
    return len(idle) + _each(acted, now, may_send_sms=False).done


def _each(attempt_ids: Sequence[int], now: datetime, *, may_send_sms: bool) -> Worked:
    """Work these off, some in one transaction."""
    done = sms = 0
    for start in range(0, len(attempt_ids), BATCH):
        batch = attempt_ids[start : start + BATCH]
        with ledger.unit_of_work():
            for device, attempt, is_answered in _locked(batch):
                before = attempt.sms_count
                done += _stepped(device, attempt, now, may_send_sms, is_answered)
                sms += attempt.sms_count - before
    return Worked(done, sms)


def _stepped(
    device: Device, attempt: ReachAttempt, now: datetime, may_send_sms: bool, is_answered: bool
) -> bool:
    """One step; a device with which nothing can be done keeps none of its batch."""
    try:
        with transaction.atomic():
            return _step(device, attempt, now, may_send_sms, is_answered)
    except isolation.LOST:
        raise
    except Exception:
        logger.exception("reach_step_broke attempt=%d device=%d", attempt.pk, device.pk)
        attempt.refresh_from_db()
        _give_up(device, attempt, now)
        return True


def _give_up(device: Device, attempt: ReachAttempt, now: datetime) -> None:
    """The ladder ends here for this silence, where staff can see why."""
    attempt.state, attempt.cause, attempt.has_acted = AttemptState.CANCELLED, BROKEN, True
    attempt.ended_at, attempt.next_at, attempt.next_costs_sms = now, None, False
    attempt.save()
    reach_history.ended(device, attempt, now)
    events.device_changed(device.pk, device.operator_id, ["reach"])


def _locked(attempt_ids: Sequence[int]) -> list[tuple[Device, ReachAttempt, bool]]:
    """Those of them that nobody else works at: device, attempt, and whether there is nothing left to look for."""
    rows = locks.rows(Device.objects, skip_locked=True)
    devices = {device.pk: device for device in rows.filter(reach_attempts__in=attempt_ids).order_by("pk")}
    open_ones = ReachAttempt.objects.filter(
        pk__in=attempt_ids, state=AttemptState.OPEN, device_id__in=devices
    )
    attempts = list(locks.rows(open_ones).order_by("device_id"))
    over = set(open_ones.filter(silence.answered()).values_list("pk", flat=True))
    return [(devices[one.device_id], one, one.pk in over) for one in attempts]


def _step(
    device: Device, attempt: ReachAttempt, now: datetime, may_send_sms: bool, is_answered: bool
) -> bool:
    """End the attempt, or take the next rung that this device can take; False when it is not due any more."""
    if is_answered:
        _end_heard(device, attempt, now)
        return True
    if attempt.next_at is None or attempt.next_at > now:
        return False
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
            result = _taken(module, attempt, device, kind, now)
        reach_history.rung(device, attempt, kind, result, now)
        attempt.taken = [*attempt.taken, _note(kind, now, result)]
        attempt.position += 1
        attempt.is_handed_over |= isinstance(result, Taken) and bool(result.ticket_cause)
        if isinstance(result, Taken) and not (wait_seconds == 0 and attempt.position == len(attempt.plan)):
            attempt.sms_count += result.sms
            attempt.next_at = now + timedelta(seconds=wait_seconds)
            attempt.next_costs_sms = _next_costs_sms(device, attempt)
            return
    attempt.state, attempt.ended_at, attempt.next_at = AttemptState.EXHAUSTED, now, None


def _taken(
    module: rungs.RungKind, attempt: ReachAttempt, device: Device, kind: str, now: datetime
) -> Taken | Skipped:
    """The rung; one that breaks is left out, with all it has done, and the next one is taken."""
    try:
        with transaction.atomic():
            return module.take(attempt=attempt, device=device, now=now)
    except isolation.LOST:
        raise
    except Exception as error:
        logger.exception("rung_broke attempt=%d rung=%s", attempt.pk, kind)
        return Skipped(BROKEN, type(error).__name__)


def _next_costs_sms(device: Device, attempt: ReachAttempt) -> bool:
    """As far as can be told now; `_take_next` looks again."""
    if attempt.position >= len(attempt.plan):
        return False
    module = rungs.KINDS.get(attempt.plan[attempt.position][0])
    return module is not None and module.costs_sms(device)


def _is_spent(attempt: ReachAttempt) -> bool:
    """Whether waking this device has cost what the policy allows within 24 hours."""
    assert attempt.next_at is not None  # it is due
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
        device=device, state=CommandState.QUEUED, correlation=correlations.of_attempt(attempt.pk)
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
    """Delete attempts that ended long ago; the ledger keeps what happened. What the support desk has stays there."""
    gone, _ = ReachAttempt.objects.filter(ended_at__lt=now - KEPT, is_handed_over=False).delete()
    return gone

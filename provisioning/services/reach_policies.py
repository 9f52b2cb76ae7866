"""An operator's reachability policy: which rungs, how long each is given, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger
from audit.actions import Action
from devices.inventory import locks
from provisioning import rungs
from provisioning.ladder import AttemptState, ReachAttempt, ReachPolicy

LONGEST_WAIT = timedelta(days=7)
LIMITS = {"early_seconds": 3600, "sms_per_day": 1000, "sms_per_minute": 100_000}
_FIELDS = ("is_enabled", "waits", *LIMITS)


def of(operator: Operator) -> ReachPolicy:
    """The operator's policy; the house's, not saved, where it has none yet."""
    found = ReachPolicy.objects.filter(pk=operator.pk).first()
    return found or ReachPolicy(operator=operator, waits=dict(rungs.DEFAULT_WAITS))


def ensure(operator: Operator) -> None:
    """The house's policy, unless there is one."""
    ReachPolicy.objects.get_or_create(operator=operator, defaults={"waits": dict(rungs.DEFAULT_WAITS)})


def ensure_all() -> None:
    """Every operator gets a policy: one made before there were any starts with the house's."""
    for operator in Operator.objects.filter(reach_policy=None):
        ensure(operator)


def save(*, operator: Operator, changes: Mapping[str, object], now: datetime | None = None) -> ReachPolicy:
    """Change what is given of the policy. Raises Refused.

    Attempts under way keep the rungs they began with; a policy that is switched off ends them.
    """
    now = now or timezone.now()
    with ledger.unit_of_work():
        ensure(operator)
        policy = locks.rows(ReachPolicy.objects).get(pk=operator.pk)
        before = {name: getattr(policy, name) for name in _FIELDS}
        for name in _FIELDS:
            if name in changes:
                setattr(policy, name, changes[name])
        _check(policy)
        policy.save(update_fields=[*_FIELDS, "updated_at"])
        after = {name: getattr(policy, name) for name in _FIELDS}
        changed = [name for name in _FIELDS if before[name] != after[name]]
        if changed:
            ledger.record(
                action=Action.REACH_POLICY,
                operator_id=operator.pk,
                target=operator.slug,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
        if not policy.is_enabled:
            open_ones = ReachAttempt.objects.filter(operator=operator, state=AttemptState.OPEN)
            open_ones.update(state=AttemptState.CANCELLED, ended_at=now, next_at=None)
    return policy


def _check(policy: ReachPolicy) -> None:
    waits = policy.waits
    if not isinstance(waits, dict) or not waits:
        raise Refused("REACH_STEPS_MISSING", field="waits")
    for kind, seconds in waits.items():
        if kind not in rungs.KINDS:
            raise Refused("REACH_STEP_UNKNOWN", field="waits", kind=kind, known=list(rungs.KINDS))
        is_span = isinstance(seconds, int) and not isinstance(seconds, bool)
        if not is_span or not 0 <= seconds <= LONGEST_WAIT.total_seconds():
            raise Refused("REACH_STEP_WAIT", field="waits")
    for name, limit in LIMITS.items():
        if not 0 <= getattr(policy, name) <= limit:
            raise Refused("REACH_LIMIT", field=name, name=name, limit=limit)


def draw_sms(*, operator_id: int, wanted: int, now: datetime) -> int:
    """How many of `wanted` SMS may go out now; they count as spent. At most a minute's worth is saved up."""
    if wanted <= 0:
        return 0
    with ledger.unit_of_work():
        policy = locks.rows(ReachPolicy.objects).get(pk=operator_id)
        passed = max(0.0, (now - policy.sms_tokens_at).total_seconds())
        full = float(policy.sms_per_minute)
        tokens = min(full, policy.sms_tokens + passed * full / 60)
        drawn = min(wanted, int(tokens))
        policy.sms_tokens, policy.sms_tokens_at = tokens - drawn, max(now, policy.sms_tokens_at)
        policy.save(update_fields=["sms_tokens", "sms_tokens_at"])
    return drawn


def give_back_sms(*, operator_id: int, unused: int) -> None:
    """What was drawn and not sent: the rung was left out, or could not be taken."""
    if unused <= 0:
        return
    with ledger.unit_of_work():
        policy = locks.rows(ReachPolicy.objects).get(pk=operator_id)
        policy.sms_tokens = min(float(policy.sms_per_minute), policy.sms_tokens + unused)
        policy.save(update_fields=["sms_tokens"])

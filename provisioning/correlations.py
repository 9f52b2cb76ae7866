"""How provisioning knows its commands again: of which step of a job they are, or of which attempt to reach a device."""

from __future__ import annotations

from django.db.models import CharField, OuterRef, Value
from django.db.models.functions import Cast, Concat

_STEP, _ATTEMPT = "job-step:", "reach:"


def of_step(step_id: int) -> str:
    return f"{_STEP}{step_id}"


def of_outer_step() -> Concat:
    """The same in a subquery of steps."""
    return Concat(Value(_STEP), Cast(OuterRef("pk"), CharField()))


def step_id(correlation: str) -> int | None:
    """None where it is not one of a step."""
    is_step, number = correlation.startswith(_STEP), correlation.removeprefix(_STEP)
    return int(number) if is_step and number.isdecimal() else None


def of_attempt(attempt_id: int) -> str:
    return f"{_ATTEMPT}{attempt_id}"

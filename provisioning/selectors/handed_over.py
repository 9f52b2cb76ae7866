"""Devices that the ladder handed to the support desk and that were not heard since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from audit.causes import CAUSES, Cause
from provisioning.ladder import AttemptState, ReachAttempt
from provisioning.selectors import reachability
from provisioning.selectors.silence import answered

MOST = 999


@dataclass(frozen=True, slots=True)
class Handed:
    """`at`: when it was handed over; `words`: what was done before."""

    attempt: ReachAttempt
    at: datetime | None
    cause: Cause
    words: str


def lasting(operator_ids: Iterable[int] | None = None) -> QuerySet[ReachAttempt]:
    """Newest first, each device once; of these operators, None for all."""
    rows = ReachAttempt.objects.filter(
        ~Exists(ReachAttempt.objects.filter(answered(), pk=OuterRef("pk"))),
        ~Exists(ReachAttempt.objects.filter(device_id=OuterRef("device_id"), pk__gt=OuterRef("pk"))),
        is_handed_over=True,
        state__in=(AttemptState.OPEN, AttemptState.EXHAUSTED),
    ).order_by("-pk")
    return rows if operator_ids is None else rows.filter(operator_id__in=list(operator_ids))


def count_words(operator_ids: Iterable[int] | None) -> str:
    """ "12" or "999+"; empty when there is none. Counts no further than that."""
    found = len(lasting(operator_ids).values_list("pk", flat=True)[: MOST + 1])
    return f"{MOST}+" if found > MOST else str(found or "")


def told(attempt: ReachAttempt, now: datetime) -> Handed:
    """Needs the device selected with it; asks nothing."""
    was_tried = reachability.was_tried(attempt)
    code = "DEVICE_UNREACHABLE_TICKET" if was_tried else "DEVICE_UNTRIED_TICKET"
    tickets = [one["at"] for one in attempt.taken if one["kind"] == "ticket" and not one.get("skipped")]
    at = datetime.fromisoformat(tickets[-1]) if tickets else None
    return Handed(attempt, at, CAUSES[code], reachability.words(attempt, now))

"""How a device that missed its contact is being looked for, in words for the desk and for the subscriber."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from audit.causes import CAUSES
from devices.inventory.models import Device
from devices.registry.selectors.sessions import clock
from provisioning import rungs
from provisioning.ladder import AttemptState, ReachAttempt
from provisioning.selectors.silence import answered


@dataclass(frozen=True, slots=True)
class Told:
    """`words` are for staff, with every rung; `plain` is the subscriber's one sentence, empty when all is well."""

    attempt: ReachAttempt
    words: str
    plain: str
    next_words: str = ""


def of(device: Device, now: datetime) -> Told | None:
    """The attempt of the silence that lasts; None for a device that was heard since, or that is only just late."""
    attempt = ReachAttempt.objects.filter(device=device).order_by("-pk").first()
    if attempt is None or attempt.state not in (AttemptState.OPEN, AttemptState.EXHAUSTED):
        return None
    if not attempt.has_acted or ReachAttempt.objects.filter(answered(), pk=attempt.pk).exists():
        return None
    return Told(attempt, words(attempt, now), _plain(attempt, now), _next(attempt, now))


def words(attempt: ReachAttempt, now: datetime) -> str:
    """ "missed its contact at 14:03; asked to update at 14:08; asked to update by SMS at 14:20"."""
    said = [gettext("missed its contact at %(clock)s") % {"clock": clock(attempt.missed_at.timestamp(), now)}]
    for one in attempt.taken:
        kind = rungs.KINDS.get(one["kind"])
        if kind is None or one.get("skipped") or one["kind"] in rungs.IDLE:
            continue
        at = datetime.fromisoformat(one["at"])
        if one["kind"] == "ticket" and not was_tried(attempt):
            said.append(gettext("nothing could be tried"))
        said.append(
            gettext("%(done)s at %(clock)s") % {"done": kind.DID, "clock": clock(at.timestamp(), now)}
        )
    if attempt.state == AttemptState.REACHED and attempt.ended_at:
        said.append(gettext("heard at %(clock)s") % {"clock": clock(attempt.ended_at.timestamp(), now)})
    return "; ".join(said)


def skipped(attempt: ReachAttempt) -> list[tuple[str, str]]:
    """The rungs that were left out, each with why."""
    found = [one for one in attempt.taken if one.get("skipped")]
    return [(_title(one["kind"]), _why(one)) for one in found]


def _why(note: dict[str, str]) -> str:
    code = note["skipped"]
    return note.get("detail") or str(CAUSES[code].support if code in CAUSES else code)


def _title(kind: str) -> str:
    return str(rungs.KINDS[kind].TITLE) if kind in rungs.KINDS else kind


def _next(attempt: ReachAttempt, now: datetime) -> str:
    if attempt.next_at is None or attempt.position >= len(attempt.plan):
        return ""
    return gettext("%(title)s at %(clock)s") % {
        "title": _title(attempt.plan[attempt.position][0]),
        "clock": clock(attempt.next_at.timestamp(), now),
    }


def _plain(attempt: ReachAttempt, now: datetime) -> str:
    at = clock(attempt.missed_at.timestamp(), now)
    if attempt.state != AttemptState.EXHAUSTED:
        return gettext("Your device should have called at %(at)s; we are trying to reach it.") % {"at": at}
    if not was_tried(attempt):
        return gettext(
            "Your device should have called at %(at)s, and there is no way to wake it from here."
        ) % {"at": at}
    return gettext("Your device should have called at %(at)s, and we could not reach it.") % {"at": at}


def was_tried(attempt: ReachAttempt) -> bool:
    """Whether anything was sent for it: waiting and handing over are not trying."""
    idle = {*rungs.IDLE, "ticket"}
    return any(not one.get("skipped") and one["kind"] not in idle for one in attempt.taken)

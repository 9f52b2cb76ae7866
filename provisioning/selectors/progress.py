"""How far a device has come, as the subscriber and the support desk read it: six phases and what is wrong.

Told from the job and from what the device did, so that it is right a moment before a bell was heard, too. A device that
was online and is bootstrapped again, after a factory reset, begins a new journey: times of two never stand in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit.causes import CAUSES, Cause
from devices.inventory.models import Device, Knock, Onboarding, Plane, Reach
from devices.inventory.states import Access
from devices.registry.models import Registration
from provisioning.models import BootstrapSession, Job, JobKind, JobState, JobStep, SessionState, StepState
from provisioning.selectors import contacts
from provisioning.selectors.phase_words import NAMES, words

SILENT_AFTER, SILENT_AFTER_BY_SMS = timedelta(minutes=5), timedelta(minutes=30)
"""After this long without any contact the page gives the gentle hint to look at the device."""

PHASES = ("ordered", "prepared", "first_contact", "configured", "registered", "online")
BEHIND_A_GATEWAY = ("ordered", "prepared", "found", "configured", "online")
AGAIN = ("first_contact", "configured", "registered", "online")
"""The journey of a device that is set up anew."""
_STEPS = {
    "check_inventory": "prepared",
    "make_credentials": "prepared",
    "render_profile": "prepared",
    "first_contact": "first_contact",
    "bootstrap": "configured",
    "registration": "registered",
    "find_end_device": "found",
    "tell_gateway": "configured",
    "observe": "online",
    "read_device": "online",
}
_OVER = (StepState.DONE, StepState.SKIPPED)


_STATES = {
    "done": _("done"),
    "running": _("running"),
    "waiting": _("waiting"),
    "stuck": _("stuck"),
    "failed": _("failed"),
    "pending": _("pending"),
}


@dataclass(frozen=True, slots=True)
class Phase:
    """One stop. `state` is done, running (our turn), waiting (the device's turn), stuck, failed or pending.

    `at` is when it was done, or since when it is the current one.
    """

    key: str
    name: str | Promise
    state: str
    at: datetime | None = None
    took_seconds: float | None = None
    words: str = ""

    @property
    def state_words(self) -> str:
        """For whoever does not see its mark."""
        return str(_STATES.get(self.state, self.state))

    @property
    def is_current(self) -> bool:
        return self.state in ("running", "waiting", "stuck", "failed")

    @property
    def took(self) -> str:
        return _span(self.took_seconds)


@dataclass(frozen=True, slots=True)
class Progress:
    """`stuck` is the cause that the current phase shows, `detail` what else is known of it."""

    steps: tuple[Phase, ...]
    stuck: Cause | None = None
    detail: str = ""
    job: Job | None = None
    is_again: bool = False

    @property
    def current(self) -> Phase | None:
        return next((phase for phase in self.steps if phase.is_current), None)

    @property
    def is_online(self) -> bool:
        return all(phase.state == "done" for phase in self.steps)

    @property
    def online_at(self) -> datetime | None:
        return self.steps[-1].at if self.is_online else None

    @property
    def took(self) -> str:
        """The whole way, where every stop of it has its time."""
        first, last = self.steps[0].at, self.online_at
        return _span((last - first).total_seconds()) if first and last else ""


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything a device's progress is told from, read in at most five queries.

    `again_at` is when the device came to be set up anew, None on its first journey.
    """

    device: Device
    job: Job | None
    steps: list[JobStep]
    session: BootstrapSession | None
    registration: Registration | None
    now: datetime
    again_at: datetime | None = None

    @property
    def phases(self) -> tuple[str, ...]:
        if self.again_at is not None:
            return AGAIN
        return BEHIND_A_GATEWAY if self.device.reach == Reach.GATEWAY else PHASES

    @property
    def since(self) -> datetime:
        if self.again_at is not None:
            return self.again_at
        return self.job.created_at if self.job else self.device.created_at


def stepper(device: Device, now: datetime | None = None) -> Progress:
    """The phases of the device's latest provisioning job: six, or five behind a gateway."""
    facts = _read(device, now or timezone.now())
    done = _done(facts)
    current = next((key for key in facts.phases if key not in done), None)
    cause, detail = _stuck(facts, current, done) if current else (None, "")
    return Progress(
        _phases(facts, done, current, cause), cause, detail, facts.job, facts.again_at is not None
    )


def _read(device: Device, now: datetime) -> _Facts:
    job = Job.objects.filter(device=device, kind=JobKind.PROVISION).order_by("-pk").first()
    since = job.created_at if job else device.created_at
    steps = list(job.steps.order_by("position")) if job else []
    session = contacts.latest_session(device.pk, since=since)
    again_at = _again_at(device, job, steps, session)
    return _Facts(
        device,
        job,
        steps if again_at is None else [],
        session,
        contacts.registration(device, since=since),
        now,
        again_at,
    )


def _again_at(
    device: Device, job: Job | None, steps: list[JobStep], session: BootstrapSession | None
) -> datetime | None:
    """When the device came to be set up anew; None while that has not happened since its job was done."""
    if session is None or (job is not None and job.state != JobState.DONE):
        return None
    counted = max(
        (step.data.get("session_id", 0) for step in steps), default=0
    )  # those that the job waited for
    was_done = job.finished_at if job else device.first_online_at
    is_again = session.pk > counted if counted else was_done is not None and session.started_at > was_done
    if not is_again:
        return None
    return contacts.first_of_journey(session, after_id=counted).started_at


def _done(facts: _Facts) -> dict[str, datetime | None]:
    """Phase -> when it was done, in order, without a gap, and never earlier than the one before."""
    known = _known(facts)
    done: dict[str, datetime | None] = {}
    latest: datetime | None = None
    for phase in facts.phases:
        if phase not in known:
            break
        at = known[phase]
        latest = max(at, latest) if at and latest else at or latest
        done[phase] = latest if at else None
    return done


def _known(facts: _Facts) -> dict[str, datetime | None]:
    """By the steps of the job and by what the device did, whichever was told first."""
    known: dict[str, datetime | None] = {"ordered": facts.since}
    for phase in facts.phases[1:]:
        steps = [step for step in facts.steps if _STEPS.get(step.kind) == phase]
        if steps and all(step.state in _OVER for step in steps):
            known[phase] = max((step.finished_at for step in steps if step.finished_at), default=None)
    session, registration = facts.session, facts.registration
    if session is not None:
        if facts.job is None or facts.job.state != JobState.DONE:
            _forget_before(known, session.started_at)
        _earlier(known, "first_contact", facts.again_at or session.started_at)
        if session.state in contacts.CONFIGURED:
            _earlier(known, "configured", session.finished_at)
    if registration is not None and (session is None or registration.registered_at >= session.started_at):
        _earlier(known, "registered", registration.registered_at)
        if facts.again_at is not None:  # what kind of device it is is known already
            known["online"] = registration.registered_at
    return known


def _forget_before(known: dict[str, datetime | None], began_at: datetime) -> None:
    """What was reached after a session before this one has to be reached again."""
    for phase in ("configured", "registered", "online"):
        at = known.get(phase)
        if at is not None and at < began_at:
            del known[phase]


def _earlier(known: dict[str, datetime | None], phase: str, at: datetime | None) -> None:
    before = known.get(phase)
    known[phase] = min(before, at) if before and at else before or at


def _phases(
    facts: _Facts, done: dict[str, datetime | None], current: str | None, cause: Cause | None
) -> tuple[Phase, ...]:
    phases: list[Phase] = []
    before: datetime | None = None
    for key in facts.phases:
        state, at, took = "pending", None, None
        if key in done:
            state, at = "done", done[key]
            took = max(0.0, (at - before).total_seconds()) if at and before else None
            before = at or before
        elif key == current:
            state, at = _current_state(facts, key, cause), before
        said = words(
            key,
            state,
            is_direct=_is_direct(facts.device),
            is_behind=facts.device.reach == Reach.GATEWAY,
            is_by_sms=facts.device.reach == Reach.SMS,
            is_again=facts.again_at is not None,
        )
        phases.append(Phase(key, NAMES[key], state, at, took, said))
    return tuple(phases)


def _is_direct(device: Device) -> bool:
    return device.onboarding == Onboarding.DIRECT and device.reach != Reach.GATEWAY


def _current_state(facts: _Facts, key: str, cause: Cause | None) -> str:
    if facts.job is None:
        return "pending"
    if facts.job.state in (JobState.FAILED, JobState.CANCELLED):
        return "failed"
    if cause is not None:
        return "stuck"
    if key == "configured" and facts.device.reach == Reach.GATEWAY:
        return "running"
    if key == "configured":
        return "running" if facts.session and facts.session.state == SessionState.RUNNING else "waiting"
    return "running" if key in ("prepared", "online") else "waiting"


def _stuck(facts: _Facts, current: str, done: dict[str, datetime | None]) -> tuple[Cause | None, str]:
    device, job = facts.device, facts.job
    if device.access != Access.ACTIVE:
        return CAUSES.get(f"DEVICE_{device.access.upper()}"), ""
    if job is None:
        return None, ""
    step = next((step for step in facts.steps if step.state not in _OVER), None)
    if job.state == JobState.FAILED:
        return CAUSES.get(job.cause), step.detail if step else ""
    if job.state == JobState.CANCELLED:
        return CAUSES.get("COMMAND_CANCELLED"), ""
    if current == "configured" and facts.session is not None:
        return _session_cause(facts.session)
    knocks = _knocks(facts, current, done)
    knock = next(
        (one for one in knocks if one.cause in CAUSES and CAUSES[one.cause].severity != "info"), None
    )
    if knock is not None:
        return CAUSES[knock.cause], knock.detail
    if step is not None and step.cause and _STEPS.get(step.kind) == current:
        return CAUSES.get(step.cause), step.detail
    return _silence(facts, current, list(done.values())[-1], has_knocked=bool(knocks))


def _silence(
    facts: _Facts, current: str, waits_since: datetime | None, *, has_knocked: bool
) -> tuple[Cause | None, str]:
    """After a while in which nothing came: what can truly be said of that."""
    if waits_since is None:
        return None, ""
    waited = facts.now - waits_since
    if current == "found" and waited > SILENT_AFTER:
        return CAUSES.get("END_DEVICE_NOT_TOLD"), ""
    patience = SILENT_AFTER_BY_SMS if facts.device.reach == Reach.SMS else SILENT_AFTER
    if current not in ("first_contact", "registered") or waited <= patience or has_knocked:
        return None, ""
    if current == "registered" and facts.session is not None:
        count = contacts.configured(facts.device.pk, since=facts.since)
        took = ngettext(
            "It took its settings once since then.", "It took its settings %(count)s times since then.", count
        )
        return CAUSES.get("REGISTRATION_AWAITED"), took % {"count": count}
    was_here = contacts.was_ever_here(facts.device.pk)
    return CAUSES.get("DEVICE_SILENT_AGAIN" if was_here else "DEVICE_SILENT"), ""


def _session_cause(session: BootstrapSession) -> tuple[Cause | None, str]:
    if session.state == SessionState.RUNNING:
        return None, ""
    return CAUSES.get(session.cause), session.detail


def _knocks(facts: _Facts, current: str, done: dict[str, datetime | None]) -> list[Knock]:
    """Refusals of this device since its last success, newest first.

    Also under its name with another device's key, and of one without a name from where the device was just now.
    """
    if current not in ("first_contact", "registered"):
        return []
    plane = Plane.BOOTSTRAP
    if current == "registered" or facts.device.onboarding == Onboarding.DIRECT:
        plane = Plane.MANAGEMENT
    since = done["first_contact"] if current == "registered" else facts.since
    named = Q(claimed_name=facts.device.endpoint)
    tied = Q(device=facts.device) | named & (Q(device=None) | Q(cause="ENDPOINT_IDENTITY_MISMATCH"))
    if facts.session is not None:
        tied |= Q(device=None, claimed_name="", host=facts.session.host)
    recent = Knock.objects.filter(tied, plane=plane, last_at__gte=since or facts.since)
    return sorted(recent.order_by("-last_at")[:20], key=lambda knock: not knock.claimed_name)


def _span(seconds: float | None) -> str:
    """A span as a person says it: "0.4 s", "12 s", "3 min 5 s", "2 h 10 min", "3 days"."""
    if seconds is None:
        return ""
    if seconds < 10:
        return gettext("%(seconds)s s") % {"seconds": formats.number_format(seconds, 1)}
    whole = round(seconds)
    if whole < 60:
        return gettext("%(seconds)s s") % {"seconds": whole}
    if whole < 3600:
        parts = {"minutes": whole // 60, "seconds": whole % 60}
        return (
            gettext("%(minutes)s min %(seconds)s s") if whole % 60 else gettext("%(minutes)s min")
        ) % parts
    if whole < 86400:
        return gettext("%(hours)s h %(minutes)s min") % {
            "hours": whole // 3600,
            "minutes": whole % 3600 // 60,
        }
    days = whole // 86400
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}

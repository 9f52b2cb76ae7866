"""How far a device has come, as the subscriber and the support desk read it: six phases and what is wrong.

Told from the job and from what the device did, so that it is right a moment before a bell was heard, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from audit.causes import CAUSES, Cause
from devices.models import Device, Knock, Onboarding, Plane, Reach, Registration
from devices.states import Access
from provisioning.models import BootstrapSession, Job, JobKind, JobState, JobStep, SessionState, StepState
from provisioning.selectors import contacts
from provisioning.selectors.phase_words import NAMES, words

SILENT_AFTER, SILENT_AFTER_BY_SMS = timedelta(minutes=5), timedelta(minutes=30)
"""After this long without any contact the page gives the gentle hint to look at the device."""

PHASES = ("ordered", "prepared", "first_contact", "configured", "registered", "online")
BEHIND_A_GATEWAY = ("ordered", "prepared", "found", "configured", "online")
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


@dataclass(frozen=True, slots=True)
class Phase:
    """One stop. `state` is done, running (our turn), waiting (the device's turn), stuck, failed or pending.

    `at` is when it was done, or since when it is the current one.
    """

    key: str
    name: str
    state: str
    at: datetime | None = None
    took_seconds: float | None = None
    words: str = ""

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

    @property
    def current(self) -> Phase | None:
        return next((phase for phase in self.steps if phase.is_current), None)

    @property
    def is_online(self) -> bool:
        return all(phase.state == "done" for phase in self.steps)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything a device's progress is told from, read in at most five queries."""

    device: Device
    job: Job | None
    steps: list[JobStep]
    session: BootstrapSession | None
    registration: Registration | None
    now: datetime

    @property
    def phases(self) -> tuple[str, ...]:
        return BEHIND_A_GATEWAY if self.device.reach == Reach.GATEWAY else PHASES

    @property
    def since(self) -> datetime:
        return self.job.created_at if self.job else self.device.created_at


def stepper(device: Device, now: datetime | None = None) -> Progress:
    """The phases of the device's latest provisioning job: six, or five behind a gateway."""
    facts = _read(device, now or timezone.now())
    done = _done(facts)
    current = next((key for key in facts.phases if key not in done), None)
    cause, detail = _stuck(facts, current, done) if current else (None, "")
    return Progress(_phases(facts, done, current, cause), cause, detail, facts.job)


def _read(device: Device, now: datetime) -> _Facts:
    job = Job.objects.filter(device=device, kind=JobKind.PROVISION).order_by("-pk").first()
    since = job.created_at if job else device.created_at
    return _Facts(
        device,
        job,
        list(job.steps.order_by("position")) if job else [],
        contacts.latest_session(device.pk, since=since),
        contacts.registration(device, since=since),
        now,
    )


def _done(facts: _Facts) -> dict[str, datetime | None]:
    """Phase -> when it was done, in order and without a gap."""
    known: dict[str, datetime | None] = {"ordered": facts.since}
    for phase in facts.phases[1:]:
        steps = [step for step in facts.steps if _STEPS.get(step.kind) == phase]
        if steps and all(step.state in _OVER for step in steps):
            known[phase] = max((step.finished_at for step in steps if step.finished_at), default=None)
    session, registration = facts.session, facts.registration
    if session is not None:
        known["first_contact"] = session.started_at
        if session.state in contacts.CONFIGURED:
            known["configured"] = session.finished_at
    if registration is not None and (session is None or registration.registered_at >= session.started_at):
        known["registered"] = registration.registered_at
    done: dict[str, datetime | None] = {}
    for phase in facts.phases:
        if phase not in known:
            break
        done[phase] = known[phase]
    return done


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
    knock = _knock(facts, current, done)
    if knock is not None:
        return CAUSES[knock.cause], knock.detail
    if step is not None and step.cause and _STEPS.get(step.kind) == current:
        return CAUSES.get(step.cause), step.detail
    waits_since = list(done.values())[-1]
    waits_for_device = current in ("first_contact", "registered")
    if current == "found" and waits_since is not None and facts.now - waits_since > SILENT_AFTER:
        return CAUSES.get("END_DEVICE_NOT_TOLD"), ""
    patience = SILENT_AFTER_BY_SMS if device.reach == Reach.SMS else SILENT_AFTER
    if waits_for_device and waits_since is not None and facts.now - waits_since > patience:
        return CAUSES.get("DEVICE_SILENT"), ""
    return None, ""


def _session_cause(session: BootstrapSession) -> tuple[Cause | None, str]:
    if session.state == SessionState.RUNNING:
        return None, ""
    return CAUSES.get(session.cause), session.detail


def _knock(facts: _Facts, current: str, done: dict[str, datetime | None]) -> Knock | None:
    """The latest refusal of this device since its last success that somebody could act on."""
    if current not in ("first_contact", "registered"):
        return None
    plane = Plane.BOOTSTRAP
    if current == "registered" or facts.device.onboarding == Onboarding.DIRECT:
        plane = Plane.MANAGEMENT
    since = done["first_contact"] if current == "registered" else facts.since
    tied = Q(device=facts.device) | Q(device=None, claimed_name=facts.device.endpoint)
    recent = Knock.objects.filter(tied, plane=plane, last_at__gte=since or facts.since).order_by("-last_at")
    return next(
        (knock for knock in recent[:10] if knock.cause in CAUSES and CAUSES[knock.cause].severity != "info"),
        None,
    )


def _span(seconds: float | None) -> str:
    """A span as a person says it: "0.4 s", "12 s", "3 min 5 s", "2 h 10 min", "3 days"."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    days = whole // 86400
    return f"{days} day{'s' if days > 1 else ''}"

"""Bootstrap profiles: an operator's default, its check, and its rendering for one device."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger
from audit.actions import Action
from devices.inventory import locks
from devices.inventory import security as modes
from devices.inventory.models import Device
from devices.inventory.security import Material, Mode
from devices.inventory.services import credentials
from lwm2m import bootstrap
from provisioning import events
from provisioning.models import BootstrapProfile, Job, StepState
from provisioning.profiles import addresses, profile_paths

DEFAULT_NAME = "Standard"
DEFAULT_DELETES = ("/0", "/1")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a device cannot be configured: a cause of the catalogue and what to do."""

    cause: str
    detail: str

    @classmethod
    def of(cls, refused: Refused) -> Problem:
        """It is kept with a step and told to the device: said in the portal's own language."""
        return cls(refused.cause, refused.recorded)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A plan for one device and the management credential that it writes, if any."""

    plan: bootstrap.BootstrapPlan
    credential_id: int | None


def ensure_default(operator: Operator) -> BootstrapProfile:
    """The operator's default profile; made with the house's values where there is none."""
    with ledger.unit_of_work():
        locks.rows(Operator.objects).get(pk=operator.pk)
        profile = default_of(operator.pk)
        if profile is not None:
            return profile
        profile = BootstrapProfile(
            operator=operator, name=_free_name(operator), is_default=True, deletes=list(DEFAULT_DELETES)
        )
        return save(profile=profile)


def _free_name(operator: Operator) -> str:
    taken = set(BootstrapProfile.objects.filter(operator=operator).values_list("name", flat=True))
    names = (
        DEFAULT_NAME if number == 1 else f"{DEFAULT_NAME} {number}" for number in range(1, len(taken) + 2)
    )
    return next(name for name in names if name not in taken)


def default_of(operator_id: int) -> BootstrapProfile | None:
    return BootstrapProfile.objects.filter(operator_id=operator_id, is_default=True).first()


def save(*, profile: BootstrapProfile) -> BootstrapProfile:
    """Write a new or changed profile; jobs that wait for a sound one go on. Refused when it is not sound.

    A profile that becomes the default takes that from the one before.
    """
    sentences = validate(profile)
    if sentences:
        raise Refused("PROFILE_UNSOUND", problems=" ".join(sentences))
    with ledger.unit_of_work():
        before = BootstrapProfile.objects.filter(pk=profile.pk).values(*_RECORDED).first()
        if profile.is_default:
            others = BootstrapProfile.objects.filter(operator_id=profile.operator_id, is_default=True)
            others.exclude(pk=profile.pk).update(is_default=False)
        profile.save()
        ledger.record(
            action=Action.BOOTSTRAP_PROFILE_CHANGED if before else Action.BOOTSTRAP_PROFILE_MADE,
            operator_id=profile.operator_id,
            target=f"profile:{profile.name}",
            before=before,
            after={name: getattr(profile, name) for name in _RECORDED},
        )
        _wake_waiting(profile.operator_id)
    return profile


def remove(*, profile: BootstrapProfile) -> None:
    """Delete a profile that is not the default; Refused for that one, as new devices need it."""
    with ledger.unit_of_work():
        row = locks.rows(BootstrapProfile.objects).get(pk=profile.pk)
        if row.is_default:
            raise Refused("DEFAULT_PROFILE_STAYS")
        before = {name: getattr(row, name) for name in _RECORDED}
        target = f"profile:{row.name}"
        ledger.record(
            action=Action.BOOTSTRAP_PROFILE_REMOVED, operator_id=row.operator_id, target=target, before=before
        )
        row.delete()


_RECORDED = (
    "name",
    "is_default",
    "server_uri",
    "security",
    "short_server_id",
    "lifetime_seconds",
    "binding",
    "notification_storing",
    "default_pmin_seconds",
    "default_pmax_seconds",
    "disable_timeout_seconds",
    "reads",
    "deletes",
    "access_rights",
    "observes",
    "awake_seconds",
)


def _wake_waiting(operator_id: int) -> None:
    waiting = Job.objects.filter(
        operator_id=operator_id,
        steps__kind="render_profile",
        steps__state=StepState.WAITING,
    ).open()
    ids = [job.pk for job in locks.rows(waiting.order_by("pk")).only("pk")]
    Job.objects.filter(pk__in=ids).update(next_run_at=timezone.now())
    events.jobs_ready(ids)


def validate(profile: BootstrapProfile) -> list[str]:
    """Sentences that say what to mend in a profile; empty when any device can be given it."""
    mode = modes.of(profile.security)
    if not mode.is_for_profiles:
        return [Refused("PROFILE_CANNOT_CHOOSE_SECURITY", security=mode.label).detail]
    if mode.needs_consent and not profile.operator.allows_nosec:
        return [Refused("PROFILE_OPERATOR_WANTS_ENCRYPTION").detail]
    try:
        return bootstrap.validate(_plan(profile, mode, mode.sample))
    except Refused as error:
        return [error.detail]


def written_mode(device: Device, profile: BootstrapProfile | None) -> Mode:
    """The security mode of the account that is written into the device.

    A device that comes with credentials can be given what the profile says, such as a certificate for a key. One that
    comes without is never told a secret: everybody on the way would read it.
    """
    if profile is None or not device.security_mode.is_secured:
        return device.security_mode
    return modes.of(profile.security)


def problem(device: Device) -> Problem | None:
    """What keeps the device from getting a configuration; None when nothing does. Opens no key."""
    profile = default_of(device.operator_id)
    if profile is None:
        return Problem.of(Refused("DEFAULT_PROFILE_MISSING"))
    try:
        mode = _checked_mode(profile, device)
        plan = _plan(profile, mode, mode.sample, device)
    except Refused as error:
        return Problem.of(error)
    sentences = bootstrap.validate(plan)
    return Problem("PROFILE_INVALID", " ".join(sentences)) if sentences else None


def render(*, device: Device, purpose: str, transport: str = "") -> Rendered:
    """The plan for this device with its pending management credential, made now if it has none. Raises Refused.

    The account is one of the transport that the device came by, unless the profile names a server.

    Opens the credential, which the ledger notes with `purpose`. The caller holds the device's lock.
    """
    profile = default_of(device.operator_id)
    if profile is None:
        raise Refused("DEFAULT_PROFILE_MISSING")
    mode = _checked_mode(profile, device)
    if mode.is_secured:
        credential = credentials.ensure_management(device=device, kind=mode.name)
        material = credentials.opened(credential=credential, purpose=purpose)
        rendered = Rendered(_plan(profile, mode, material, device, transport), credential.pk)
    else:
        rendered = Rendered(_plan(profile, mode, mode.sample, device, transport), None)
    sentences = bootstrap.validate(rendered.plan)
    if sentences:
        raise Refused("PROFILE_UNSOUND", problems=" ".join(sentences))
    return rendered


def _checked_mode(profile: BootstrapProfile, device: Device) -> Mode:
    """`written_mode`; Refused where the profile would take its encryption from a device that has it."""
    mode = written_mode(device, profile)
    if device.security_mode.is_secured and not mode.is_secured:
        raise Refused("PROFILE_WITHOUT_ENCRYPTION", profile=profile.name)
    return mode


def _plan(
    profile: BootstrapProfile,
    mode: Mode,
    material: Material,
    device: Device | None = None,
    transport: str = "",
) -> bootstrap.BootstrapPlan:
    uri = profile.server_uri or addresses.management_uri(is_secured=mode.is_secured, transport=transport)
    account = bootstrap.ServerAccount(
        short_server_id=profile.short_server_id,
        uri=uri,
        lifetime_seconds=profile.lifetime_seconds,
        binding=profile.binding if profile.server_uri else addresses.binding(profile.binding, uri),
        notification_storing=profile.notification_storing,
        pmin=profile.default_pmin_seconds,
        pmax=profile.default_pmax_seconds,
        disable_timeout=profile.disable_timeout_seconds,
    )
    number = addresses.our_number(device.operator_id) if device is not None and mode.by_number else ""
    return bootstrap.BootstrapPlan(
        accounts=(mode.account(account, material, number),),
        deletes=profile_paths.listed(profile.deletes, "deletes"),
        reads=profile_paths.listed(profile.reads, "reads"),
        access_rights=profile_paths.rights(profile.access_rights),
    )

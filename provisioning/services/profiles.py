"""Bootstrap profiles: an operator's default, its check, and its rendering for one device."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger
from devices.inventory import locks
from devices.inventory.models import Device, Security
from devices.inventory.services import credentials
from lwm2m import bootstrap
from lwm2m.accounts import SMS_NOSEC, SecurityMode
from provisioning import events
from provisioning.models import JOB_OPEN, BootstrapProfile, Job, StepState
from provisioning.services import addresses, profile_paths

DEFAULT_NAME = "Standard"
DEFAULT_DELETES = ("/0", "/1")
# Stands in for the secrets while a profile is only checked: nobody has to open a key for that.
_SAMPLE_IDENTITY = b"0123456789abcdefghijkl"
_SAMPLE_KEY = bytes(range(1, 17))


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
            action="bootstrap_profile.changed" if before else "bootstrap_profile.made",
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
            action="bootstrap_profile.removed", operator_id=row.operator_id, target=target, before=before
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
        state__in=JOB_OPEN,
        steps__kind="render_profile",
        steps__state=StepState.WAITING,
    )
    ids = [job.pk for job in locks.rows(waiting.order_by("pk")).only("pk")]
    Job.objects.filter(pk__in=ids).update(next_run_at=timezone.now())
    events.jobs_ready(ids)


def validate(profile: BootstrapProfile) -> list[str]:
    """Sentences that say what to mend in a profile; empty when any device can be given it."""
    if profile.security == Security.NONE and not profile.operator.allows_nosec:
        return [Refused("PROFILE_OPERATOR_WANTS_ENCRYPTION").detail]
    try:
        return bootstrap.validate(_plan(profile, profile.security, _SAMPLE_IDENTITY, _SAMPLE_KEY))
    except Refused as error:
        return [error.detail]


def needs_key(device: Device) -> bool:
    """Whether the account that is written into the device has a pre-shared key."""
    return device.security == Security.PSK


def problem(device: Device) -> Problem | None:
    """What keeps the device from getting a configuration; None when nothing does. Opens no key."""
    profile = default_of(device.operator_id)
    if profile is None:
        return Problem.of(Refused("DEFAULT_PROFILE_MISSING"))
    try:
        plan = _plan(profile, _security(profile, device), _SAMPLE_IDENTITY, _SAMPLE_KEY, device)
    except Refused as error:
        return Problem.of(error)
    sentences = bootstrap.validate(plan)
    return Problem("PROFILE_INVALID", " ".join(sentences)) if sentences else None


def render(*, device: Device, purpose: str, transport: str = "") -> Rendered:
    """The plan for this device with its pending management key, made now if it has none. Raises Refused.

    The account is one of the transport that the device came by, unless the profile names a server.

    Opens the key, which the ledger notes with `purpose`. The caller holds the device's lock.
    """
    profile = default_of(device.operator_id)
    if profile is None:
        raise Refused("DEFAULT_PROFILE_MISSING")
    security = _security(profile, device)
    if security != Security.PSK:
        rendered = Rendered(_plan(profile, security, b"", b"", device, transport), None)
    else:
        credential = credentials.pending_management(device.pk) or credentials.make_management(device=device)
        key = credentials.open_key(credential=credential, purpose=purpose)
        rendered = Rendered(
            _plan(profile, security, credential.identity.encode(), key, device, transport), credential.pk
        )
    sentences = bootstrap.validate(rendered.plan)
    if sentences:
        raise Refused("PROFILE_UNSOUND", problems=" ".join(sentences))
    return rendered


def _security(profile: BootstrapProfile, device: Device) -> str:
    """A device that comes without encryption is never told a key: everybody on the way would read it."""
    if device.security != Security.PSK:
        return device.security
    if profile.security == Security.NONE:
        raise Refused("PROFILE_WITHOUT_ENCRYPTION", profile=profile.name)
    return profile.security


def _plan(
    profile: BootstrapProfile,
    security: str,
    identity: bytes,
    key: bytes,
    device: Device | None = None,
    transport: str = "",
) -> bootstrap.BootstrapPlan:
    has_key = security == Security.PSK
    uri = profile.server_uri or addresses.management_uri(security, transport)
    account = bootstrap.ServerAccount(
        short_server_id=profile.short_server_id,
        uri=uri,
        security_mode=SecurityMode.PSK if has_key else SecurityMode.NOSEC,
        identity=identity if has_key else b"",
        key=key if has_key else b"",
        lifetime_seconds=profile.lifetime_seconds,
        binding=profile.binding if profile.server_uri else addresses.binding(profile.binding, uri),
        notification_storing=profile.notification_storing,
        pmin=profile.default_pmin_seconds,
        pmax=profile.default_pmax_seconds,
        disable_timeout=profile.disable_timeout_seconds,
    )
    if security == Security.MSISDN and device is not None:
        account = _by_sms(account, device)
    return bootstrap.BootstrapPlan(
        accounts=(account,),
        deletes=profile_paths.listed(profile.deletes, "deletes"),
        reads=profile_paths.listed(profile.reads, "reads"),
        access_rights=profile_paths.rights(profile.access_rights),
    )


def _by_sms(account: bootstrap.ServerAccount, device: Device) -> bootstrap.ServerAccount:
    """The same server at our number; the device has nothing but SMS, so its binding is S, with queue mode SQ."""
    number = addresses.our_number(device.operator_id)
    return replace(
        account,
        uri=f"tel:{number}",
        binding="SQ" if "Q" in account.binding else "S",
        sms_security_mode=SMS_NOSEC,
        server_sms_number=number.removeprefix("+"),
    )

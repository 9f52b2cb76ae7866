"""The devices themselves: added, described, their states moved. Every write leaves a ledger event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError

from accounts.errors import Refused
from accounts.models import Operator, Subscriber
from audit import ledger
from audit.actions import Action
from devices.inventory import events, locks
from devices.inventory import security as modes
from devices.inventory.models import Device, Onboarding, Plane, Reach
from devices.inventory.nameplate import (
    check_endpoint,
    check_msisdn,
    check_name,
)
from devices.inventory.security import Material
from devices.inventory.services import credentials, device_trail, intake, quotas
from devices.inventory.states import Access, IllegalMove, Ownership, Provisioning, check_move

__all__ = [
    "Added",
    "add",
    "describe",
    "disown",
    "first_online",
    "move_access",
    "set_msisdn",
    "set_provisioning",
]

_FACT_LIMIT = 120
_ACCESS_ACTIONS = {
    Access.ACTIVE: Action.DEVICE_RESUMED,
    Access.SUSPENDED: Action.DEVICE_SUSPENDED,
    Access.BARRED: Action.DEVICE_BARRED,
    Access.RETIRED: Action.DEVICE_RETIRED,
}
_FACTS = ("manufacturer", "model_number", "serial_number", "firmware_version")


@dataclass(frozen=True, slots=True)
class Added:
    """`secret_to_show` is what this portal made: shown once, never readable again. None when it was given."""

    device: Device
    identity: str
    secret_to_show: Material | None = field(repr=False)


def add(
    *,
    operator: Operator,
    subscriber: Subscriber | None,
    endpoint: str,
    name: str = "",
    reach: str = Reach.IP,
    onboarding: str = Onboarding.BOOTSTRAP,
    security: str = modes.DEFAULT,
    msisdn: str = "",
    **entered: str | bytes | None,
) -> Added:
    """Take a device into the inventory; `entered` are fields of its security mode, such as psk_key and psk_identity.

    `msisdn` is what a device by SMS is known by, and where any other is woken.
    Raises Refused with the field that has to change. Two people adding the same endpoint: one gets it.
    """
    intake.check_entered(entered)
    intake.check_people(operator, subscriber)
    if reach == Reach.GATEWAY:
        onboarding = Onboarding.DIRECT
    # Behind a gateway its channel protects the device; by SMS its number says who it is.
    possible = modes.of_reach(reach)
    if len(possible) == 1:
        security = possible[0].name
    intake.check_ways(operator, reach, onboarding, security)
    check_endpoint(endpoint)
    check_name(name)
    msisdn = check_msisdn(msisdn) if msisdn.strip() or reach == Reach.SMS else ""
    own = modes.of(security).enter(entered, endpoint=endpoint)
    identity = own.material.identity if own else ""
    plane = own_plane(onboarding)
    intake.check_free(endpoint, operator, subscriber, plane, identity)
    intake.check_number_free(msisdn, operator)
    try:
        with ledger.unit_of_work():
            quotas.check_devices(subscriber)
            device = Device.objects.create(
                operator=operator,
                subscriber=subscriber,
                endpoint=endpoint,
                name=name.strip()[:120],
                reach=reach,
                onboarding=onboarding,
                security=security,
                msisdn=msisdn,
                ownership=Ownership.CLAIMED if subscriber else Ownership.UNCLAIMED,
            )
            _record(
                Action.DEVICE_ADDED,
                device,
                after={"endpoint": endpoint, "reach": reach, "security": security},
                msisdn=msisdn,
            )
            if own:
                origin = "portal" if own.is_made else "label"
                credentials.store(
                    device=device, plane=plane, kind=security, material=own.material, origin=origin
                )
            events.device_changed(device.pk, operator.pk, ["inventory"])
    except IntegrityError:  # somebody was faster between the look and the write
        intake.check_free(endpoint, operator, subscriber, plane, identity)
        intake.check_number_free(msisdn, operator)
        raise
    return Added(device, identity, own.material if own and own.is_made else None)


def own_plane(onboarding: str) -> Plane:
    """Where what stands on the device's label opens the door."""
    return Plane.BOOTSTRAP if onboarding == Onboarding.BOOTSTRAP else Plane.MANAGEMENT


def renew_key(*, device: Device) -> Added:
    """A new key of the portal's making under the identity the device came with. Refused where there is no key."""
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        if locked.access == Access.RETIRED:
            raise Refused("DEVICE_REMOVED")
        plane = own_plane(locked.onboarding)
        current = credentials.newest(locked.pk, plane)
        made = locked.security_mode.make(
            endpoint=locked.endpoint, identity=current.identity if current else ""
        )
        credentials.replace(device=locked, plane=plane, material=made)
        events.device_changed(locked.pk, locked.operator_id, ["credentials"])
    return Added(locked, made.identity, made)


def move_access(*, device: Device, access: Access, reason: str) -> bool:
    """Move the access of a device that the caller has locked; False when it stands there already. Raises Refused.

    Sessions of its keys end here where it may not connect any more. What else follows is composed above, by
    `provisioning.services.lifecycle`.
    """
    before = device.access
    try:
        check_move(before, access, of=Access)
    except IllegalMove:
        raise Refused("ACCESS_CANNOT_MOVE", old=str(Access(before).label), new=str(access.label)) from None
    if before == access:
        return False
    with ledger.unit_of_work():
        device.access = access
        device.save(update_fields=["access"])
        if access != Access.ACTIVE:
            credentials.end_sessions(device=device)
        _record(
            _ACCESS_ACTIONS[access],
            device,
            before={"access": before},
            after={"access": access},
            reason=reason,
        )
        events.device_changed(device.pk, device.operator_id, ["access"])
    return True


def disown(*, device: Device) -> None:
    """Nobody's any more; the caller has locked it."""
    if device.ownership != Ownership.UNCLAIMED:
        check_move(device.ownership, Ownership.UNCLAIMED, of=Ownership)
        device.ownership = Ownership.UNCLAIMED
        device.save(update_fields=["ownership"])


def set_provisioning(*, device: Device, state: str, cause: str = "") -> bool:
    """Move the provisioning state; False when it stands there already. Raises IllegalMove.

    `cause` says why the set-up failed or stands still, and is kept with the device until its next move.
    """
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        before = locked.provisioning
        kept = cause if state in (Provisioning.READY, Provisioning.FAILED) else ""
        check_move(before, state, of=Provisioning)
        locked.provisioning, locked.setup_cause = state, kept
        locked.save(update_fields=["provisioning", "setup_cause"])
        device.provisioning, device.setup_cause = state, kept
        if before == state:
            return False
        _record(
            Action.DEVICE_PROVISIONING,
            locked,
            before={"provisioning": before},
            after={"provisioning": state},
            cause=cause,
        )
        events.device_changed(locked.pk, locked.operator_id, ["provisioning"])
    return True


def set_msisdn(*, device: Device, msisdn: str, reason: str = "") -> Device:
    """Another phone number; none at all only for a device that does not live by SMS. Raises Refused."""
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        number = check_msisdn(msisdn) if msisdn.strip() or locked.reach == Reach.SMS else ""
        if locked.access == Access.RETIRED:
            raise Refused("DEVICE_REMOVED")
        intake.check_number_free(number, locked.operator, but=locked.pk)
        if number == locked.msisdn:
            return locked
        locked.msisdn, locked.msisdn_confirmed_at = number, None
        locked.save(update_fields=["msisdn", "msisdn_confirmed_at"])
        _record(Action.DEVICE_NUMBER_CHANGED, locked, reason=reason, msisdn=number)
        events.device_changed(locked.pk, locked.operator_id, ["inventory"])
    return locked


def first_online(*, device: Device, at: datetime) -> None:
    """Remember when the device came under management for the first time."""
    with ledger.unit_of_work():
        if Device.objects.filter(pk=device.pk, first_online_at__isnull=True).update(first_online_at=at):
            device.first_online_at = at
            _record(Action.DEVICE_FIRST_ONLINE, device, after={"first_online_at": at})
            events.device_changed(device.pk, device.operator_id, ["inventory"])


def describe(*, device: Device, facts: Mapping[str, object]) -> Device:
    """Keep what the device says of itself in /3/0; `facts` are named like the columns, others are ignored."""
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        said = {name: _printable(facts[name]) for name in _FACTS if facts.get(name) not in (None, "")}
        changed = {name: value for name, value in said.items() if getattr(locked, name) != value}
        if not changed:
            return locked
        before = {name: getattr(locked, name) for name in changed}
        for name, value in changed.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(changed))
        _record(Action.DEVICE_DESCRIBED, locked, before=before, after=changed)
        events.device_changed(locked.pk, locked.operator_id, ["description"])
    return locked


def _printable(value: object) -> str:
    return "".join(character for character in str(value) if character.isprintable())[:_FACT_LIMIT]


def _record(
    action: Action,
    device: Device,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    cause: str = "",
    reason: str = "",
    msisdn: str = "",
) -> None:
    device_trail.record(
        device,
        action,
        cause=cause,
        before=before,
        after=after,
        reason=reason,
        personal={"msisdn": msisdn} if msisdn else None,
    )

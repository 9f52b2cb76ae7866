"""Devices come: inventory, gateways and provisioning job in one unit of work. How they go is `lifecycle`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Operator, Subscriber, User
from audit import ledger
from devices.gateways.services import end_device_choices
from devices.inventory import locks
from devices.inventory.errors import not_active
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.services import devices, intake
from devices.inventory.services.devices import Added
from devices.inventory.states import Access, Provisioning
from devices.messaging.services import smsc_links
from provisioning.profiles import profiles
from provisioning.services import jobs

__all__ = ["Added", "Taken", "add_device", "renew_key", "take_end_devices"]


def add_device(
    *,
    operator: Operator,
    subscriber: Subscriber | None,
    endpoint: str,
    by: User | None = None,
    **label: Any,
) -> Added:
    """Add a device and start bringing it online; `label` is the rest of `devices.add`. Raises Refused."""
    with ledger.unit_of_work():
        if not operator.bootstrap_profiles.exists():  # an operator made before this room knew of it
            profiles.ensure_default(operator)
        _check_sms(operator, label.get("reach", ""))
        added = devices.add(operator=operator, subscriber=subscriber, endpoint=endpoint, **label)
        if added.device.reach == Reach.GATEWAY:
            end_device_choices.adopt(device=added.device, now=timezone.now())
        job = jobs.create(device=added.device, requested_by=requested_by(by), reason="Device added")
        if added.device.onboarding == Onboarding.DIRECT and added.device.reach == Reach.IP:
            # It has all it needs and may register at once; Anjay takes a 4.03 for final.
            jobs.prepare(job_id=job.pk)
            added.device.refresh_from_db()
    return added


def _check_sms(operator: Operator, reach: str) -> None:
    """By SMS alone only with an operator that has an SMSC."""
    if reach == Reach.SMS and not smsc_links.is_enabled(operator.pk):
        raise Refused("OPERATOR_HAS_NO_SMS", field="reach")


@dataclass(frozen=True, slots=True)
class Taken:
    """The new devices, and by identifier the causes why others could not be taken."""

    devices: list[Device]
    refused: dict[str, str]


def take_end_devices(
    *,
    gateway: Device,
    identifiers: Collection[str] | None = None,
    by: User | None = None,
    now: datetime | None = None,
) -> Taken:
    """Take these devices that a gateway tells of, None for all that are on offer; their jobs start by themselves.

    One transaction, few statements for thousands. Raises Refused where the gateway may not have any.
    """
    now = now or timezone.now()
    with ledger.unit_of_work():
        locked = locks.device_with_operator(gateway.pk)
        if locked.access != Access.ACTIVE:
            raise not_active(locked.access, is_gateway=True)
        intake.check_people(locked.operator, locked.subscriber)
        rows = end_device_choices.on_offer(locked, identifiers)
        names = [row.identifier for row in rows]
        living = Device.objects.filter(endpoint__in=names).living()
        refused = dict.fromkeys(living.values_list("endpoint", flat=True), "ENDPOINT_TAKEN")
        refused |= dict.fromkeys(set(identifiers or ()) - set(names), "NOT_FOUND")
        free = [row for row in rows if row.identifier not in refused]
        devices = end_device_choices.take(gateway=locked, rows=free, now=now)
        reason = f"Taken behind {locked}"[:200]
        jobs.create_many(devices=devices, requested_by=requested_by(by), reason=reason, now=now)
    return Taken(devices, refused)


def renew_key(*, device: Device) -> Added:
    """A new key of the portal's making under the same identity, in place of the one on the label.

    Shown once; the old one opens nothing from now on. A device whose job had failed gets another. Raises Refused.
    """
    with ledger.unit_of_work():
        added = devices.renew_key(device=device)
        is_open = added.device.jobs.open().exists()
        if added.device.provisioning == Provisioning.FAILED and not is_open:
            jobs.create(device=added.device, requested_by="system", reason="A new key was made")
    return added


def requested_by(user: User | None) -> str:
    """Who asked, as jobs and commands keep it."""
    return f"user:{user.pk}" if user is not None and user.pk else "system"

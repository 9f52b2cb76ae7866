"""A device from "add" to "remove": inventory and provisioning job in one unit of work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import Operator, Subscriber, User
from audit import ledger
from devices.models import Device
from devices.services import inventory
from devices.services.inventory import Added
from devices.states import Access, Provisioning
from provisioning.models import JOB_OPEN
from provisioning.services import jobs, profiles, sessions

__all__ = ["Added", "add_device", "release_device", "renew_key"]


def add_device(
    *,
    operator: Operator,
    subscriber: Subscriber | None,
    endpoint: str,
    by: User | None = None,
    **label: Any,
) -> Added:
    """Add a device and start bringing it online; `label` is the rest of `inventory.add`. Raises Refused."""
    with ledger.unit_of_work():
        if not operator.bootstrap_profiles.exists():  # an operator made before this room knew of it
            profiles.ensure_default(operator)
        added = inventory.add(operator=operator, subscriber=subscriber, endpoint=endpoint, **label)
        jobs.create(device=added.device, requested_by=requested_by(by), reason="Device added")
    return added


def release_device(
    *, device: Device, by: User | None = None, reason: str = "", now: datetime | None = None
) -> bool:
    """Remove a device: jobs and sessions ended, keys retired, its name free. False when it was gone."""
    now = now or timezone.now()
    reason = reason or "Removed"
    with ledger.unit_of_work():
        locked = Device.objects.select_for_update().get(pk=device.pk)
        if locked.access == Access.RETIRED:
            return False
        for job_id in list(
            locked.jobs.filter(state__in=JOB_OPEN).order_by("pk").values_list("pk", flat=True)
        ):
            jobs.cancel(job_id=job_id, reason=reason, now=now)
        sessions.end_running(device=locked, cause="DEVICE_RETIRED", detail=reason, now=now)
        inventory.retire(device=locked, reason=reason, now=now)
    return True


def renew_key(*, device: Device) -> Added:
    """A new key of the portal's making under the same identity, in place of the one on the label.

    Shown once; the old one opens nothing from now on. A device whose job had failed gets another. Raises Refused.
    """
    with ledger.unit_of_work():
        added = inventory.renew_key(device=device)
        is_open = added.device.jobs.filter(state__in=JOB_OPEN).exists()
        if added.device.provisioning == Provisioning.FAILED and not is_open:
            jobs.create(device=added.device, requested_by="system", reason="A new key was made")
    return added


def requested_by(user: User | None) -> str:
    """Who asked, as jobs and commands keep it."""
    return f"user:{user.pk}" if user is not None and user.pk else "system"

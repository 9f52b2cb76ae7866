"""A device that may not connect now, may again, or never will: one service for every door, across all rooms.

Each is one transaction with the device locked first; the order of the other locks is in `audit.locks`. The access state
moves before what follows from it, as it decides whether anything does: an illegal move is refused with nothing touched,
the same move twice changes nothing. Accounts are closed by `closing`, people are forgotten by `departure`.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from audit import ledger
from devices.commands.services import mailbox
from devices.gateways.services import end_device_choices
from devices.inventory import locks
from devices.inventory.models import Device
from devices.inventory.services import credentials, devices
from devices.inventory.states import Access
from devices.observations.services import observation_access
from devices.registry.services import registrations
from provisioning.services import jobs, sessions


def suspend(*, device: Device, reason: str) -> Device:
    """The device is refused until `resume`; its settings, keys and registration stay. Raises Refused."""
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        if devices.move_access(device=locked, access=Access.SUSPENDED, reason=reason):
            observation_access.interrupted(device=locked)
    return locked


def resume(*, device: Device, reason: str = "", now: datetime | None = None) -> Device:
    """The device may connect again, and is asked for what was observed. Raises Refused."""
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        if devices.move_access(device=locked, access=Access.ACTIVE, reason=reason):
            observation_access.resumed(device=locked, now=now or timezone.now())
    return locked


def bar(*, device: Device, reason: str, now: datetime | None = None) -> Device:
    """The device is refused for good until staff say otherwise: stolen, misused. Raises Refused."""
    with ledger.unit_of_work():
        locked = locks.device(device.pk)
        if devices.move_access(device=locked, access=Access.BARRED, reason=reason):
            registrations.end(device=locked, cause="DEVICE_BARRED", now=now or timezone.now())
            observation_access.interrupted(device=locked)
    return locked


def release(*, device: Device, reason: str = "", now: datetime | None = None) -> bool:
    """The end: jobs, sessions, registration, commands and observations ended, keys retired, its name free again.

    False when it was gone already.
    """
    now = now or timezone.now()
    reason = reason or "Removed"
    with ledger.unit_of_work():
        locked = locks.device_with_children(device.pk)
        if locked.access == Access.RETIRED:
            return False
        open_jobs = locked.jobs.open().order_by("pk")
        for job_id in list(open_jobs.values_list("pk", flat=True)):
            jobs.cancel(job_id=job_id, reason=reason, now=now)
        sessions.end_running(device=locked, cause="DEVICE_RETIRED", detail=reason, now=now)
        devices.move_access(device=locked, access=Access.RETIRED, reason=reason)
        devices.disown(device=locked)
        registrations.end(device=locked, cause="DEVICE_RETIRED", now=now)
        mailbox.cancel_all(device=locked, reason=reason, now=now)
        observation_access.ended(device=locked, reason=reason, now=now)
        credentials.retire_all(device=locked, reason=reason)
        end_device_choices.released(device=locked, now=now)
    return True

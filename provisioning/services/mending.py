"""Corrects what was typed when a device was added, and lets its job go on at once. Raises Refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone

from accounts.models import User
from audit import ledger
from devices.inventory.models import Device
from devices.inventory.states import Provisioning
from provisioning.services import corrections, jobs, sessions
from provisioning.services.onboarding import requested_by

KEY_REASON = "The key was entered again"
ENDPOINT_REASON = "The endpoint name was corrected"


def enter_credential(
    *, device: Device, entered: Mapping[str, str], by: User | None = None, reason: str = ""
) -> Device:
    """What is printed on the device, typed again (`provisioning.services.corrections.enter_credential`)."""
    with ledger.unit_of_work():
        mended = corrections.enter_credential(device=device, entered=entered, reason=reason or KEY_REASON)
        _go_on(mended, by, KEY_REASON)
    return mended


def correct_endpoint(*, device: Device, endpoint: str, by: User | None = None, reason: str = "") -> Device:
    """The endpoint name of a device that never registered (`provisioning.services.corrections.correct_endpoint`)."""
    with ledger.unit_of_work():
        mended = corrections.correct_endpoint(
            device=device, endpoint=endpoint, reason=reason or ENDPOINT_REASON
        )
        _go_on(mended, by, ENDPOINT_REASON)
    return mended


def _go_on(device: Device, by: User | None, reason: str) -> None:
    now: datetime = timezone.now()
    sessions.end_running(device=device, cause="BOOTSTRAP_INTERRUPTED", detail=reason, now=now)
    is_open = device.jobs.open().exists()
    if device.provisioning == Provisioning.FAILED and not is_open:
        jobs.create(device=device, requested_by=requested_by(by), reason=reason)
    else:
        jobs.wake(device_id=device.pk, now=now)

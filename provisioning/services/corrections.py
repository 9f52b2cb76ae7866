"""What was typed wrong when a device was added, typed again: its key, its endpoint name, and what it is called.

The job of the device is the caller's (`provisioning.services.mending`). Lock order: device, then its credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.db import IntegrityError
from django.utils import timezone

from accounts.errors import Refused
from audit import ledger
from audit.actions import Action
from devices.gateways.services import end_device_choices
from devices.inventory import events, locks
from devices.inventory.models import Device, Knock, Reach
from devices.inventory.nameplate import check_endpoint, check_name
from devices.inventory.services import credentials, device_trail, devices, intake
from devices.inventory.states import Access
from devices.registry.models import Registration

NAME_LENGTH = 120


def enter_credential(*, device: Device, entered: Mapping[str, str], reason: str = "") -> Device:
    """What is on the label, typed again: fields of the device's mode, no identity: it stays. Raises Refused.

    What is on record opens nothing from now on; refusals of before are forgotten with it.
    """
    typed = device.security_mode.typed(entered)
    try:
        with ledger.unit_of_work():
            locked = _locked(device)
            plane = devices.own_plane(locked.onboarding)
            current = credentials.newest(locked.pk, plane)
            if current is not None and typed.identity in ("", current.identity):
                if credentials.is_known(current, typed):
                    raise locked.security_mode.already_known()
                typed = replace(typed, identity=current.identity)
            elif typed.identity:
                intake.check_identity_free(plane, typed.identity)
            else:
                typed = replace(typed, identity=locked.security_mode.identity_of(locked.endpoint))
            credentials.replace(device=locked, plane=plane, material=typed, origin="label", reason=reason)
            _changed(locked, "credentials")
    except IntegrityError:  # somebody took the identity between the look and the write
        intake.check_identity_free(plane, typed.identity)
        raise
    return locked


def correct_endpoint(*, device: Device, endpoint: str, reason: str = "") -> Device:
    """Another endpoint name for a device that never registered; its key stays. Raises Refused.

    An identity that was the old name becomes the new one, as devices commonly send their name.
    """
    check_endpoint(endpoint)
    with ledger.unit_of_work():
        locked = _locked(device)
        before = locked.endpoint
        if before == endpoint:
            raise Refused("ENDPOINT_UNCHANGED", field="endpoint")
        if locked.first_online_at or Registration.objects.filter(device=locked).exists():
            raise Refused("ENDPOINT_SIGNED_IN", field="endpoint")
        plane = devices.own_plane(locked.onboarding)
        current = credentials.newest(locked.pk, plane)
        renames = current is not None and current.identity == before
        identity = locked.security_mode.identity_of(endpoint) if renames else ""
        intake.check_free(endpoint, locked.operator, locked.subscriber, plane, identity)
        try:
            with ledger.unit_of_work():
                locked.endpoint = endpoint
                locked.save(update_fields=["endpoint"])
                device_trail.record(
                    locked,
                    Action.DEVICE_ENDPOINT_CORRECTED,
                    before={"endpoint": before},
                    after={"endpoint": endpoint},
                    reason=reason,
                )
                if renames and current is not None:
                    credentials.rename(device=locked, credential=current, identity=identity)
        except IntegrityError:  # somebody was faster between the look and the write
            intake.check_free(endpoint, locked.operator, locked.subscriber, plane, identity)
            raise
        if locked.reach == Reach.GATEWAY:
            end_device_choices.adopt(device=locked, now=timezone.now())
        _changed(locked, "inventory")
    return locked


def rename(*, device: Device, name: str) -> Device:
    """What its owner calls it; empty for no name. Raises Refused."""
    text = " ".join(name.split())
    if len(text) > NAME_LENGTH:
        raise Refused("NAME_TOO_LONG", field="name", length=len(text), limit=NAME_LENGTH)
    check_name(text)
    with ledger.unit_of_work():
        locked = _locked(device)
        before = locked.name
        if before == text:
            return locked
        locked.name = text
        locked.save(update_fields=["name"])
        device_trail.record(locked, Action.DEVICE_RENAMED, before={"name": before}, after={"name": text})
        events.device_changed(locked.pk, locked.operator_id, ["inventory"])
    return locked


def _locked(device: Device) -> Device:
    rows = locks.rows(Device.objects.select_related("operator", "subscriber"))
    locked: Device = rows.get(pk=device.pk)
    if locked.access == Access.RETIRED:
        raise Refused("DEVICE_REMOVED")
    return locked


def _changed(device: Device, what: str) -> None:
    """Refusals of what stood there before are history, and the ledger has them."""
    Knock.objects.filter(device=device).delete()
    events.device_changed(device.pk, device.operator_id, [what])

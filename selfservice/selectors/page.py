"""What a device's page and a row of the list show, the same on the first load and on every live change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.gateways.selectors import end_devices
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.security import EntryField
from devices.inventory.states import Access, Provisioning
from devices.registry.selectors import present, verdict, ways
from devices.registry.selectors.present import Present
from provisioning.selectors import near_misses, progress, reachability

CHILDREN = 8


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    device: Device
    session: Present
    last_seen_at: datetime | None


def rows(devices: Iterable[Device], now: datetime) -> list[Row]:
    """A page of the list; one query more than the devices."""
    return [_row(device, standing) for device, standing in present.of_many(devices, now)]


def _row(device: Device, standing: Present) -> Row:
    registration = ways.registration(device)
    return Row(device, standing, registration.last_seen_at if registration else None)


def may_renew_key(device: Device) -> bool:
    """Only the key for the bootstrap server: the one for the management server the device gets by itself."""
    return (
        device.security_mode.is_secured
        and device.onboarding == Onboarding.BOOTSTRAP
        and device.access == Access.ACTIVE
    )


def key_fields(
    device: Device, typed: Mapping[str, str], *, field: str | None = None, error: str = ""
) -> list[tuple[EntryField, str, str]]:
    """What has to be typed to mend its key, with what was typed and what is wrong, there or else at the first."""
    asked = [one for one in device.security_mode.fields if not one.is_optional]
    names = [one.name for one in asked]
    at = field if field in names else next(iter(names), None)
    return [(one, typed.get(one.name, ""), error if one.name == at else "") for one in asked]


@dataclass(frozen=True)
class Behind:
    """What a gateway's page says of the devices behind it."""

    counts: end_devices.Counts
    children: list[end_devices.Child]


def behind(device: Device, now: datetime) -> Behind:
    """The first few of those that were taken."""
    counts = end_devices.counts(device)
    rows = end_devices.listed(device, "taken")[:CHILDREN] if counts.taken else []
    return Behind(counts, [end_devices.child(row, device, now) for row in rows])


def context(device: Device, now: datetime) -> dict[str, Any]:
    """For the whole page and for each of its live parts."""
    looked_for = reachability.of(device, now)
    standing = present.of(device, now, present.refusals([device], now).get(device.pk))
    told = progress.stepper(device, now)
    return {
        "device": device,
        "session": standing,
        "verdict": verdict.of(device, standing, now, looked_for),
        "registration": ways.registration(device),
        "detail": ways.registration_detail(device),
        "progress": told,
        "near_miss": None if told.is_online else near_misses.of(device, now),
        "may_enter_key": may_renew_key(device) and not told.is_online,
        "key_fields": key_fields(device, {}),
        "may_correct_endpoint": device.access == Access.ACTIVE and device.first_online_at is None,
        "gateway": ways.gateway(device) if device.reach == Reach.GATEWAY else None,
        "behind": behind(device, now),
        "may_renew_key": may_renew_key(device),
        "may_take": device.access == Access.ACTIVE,
        "is_set_up": device.provisioning == Provisioning.APPLIED and device.first_online_at is not None,
    }

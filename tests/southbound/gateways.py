"""A virtual gateway that is registered with a running southbound, and children that somebody has taken."""

from __future__ import annotations

from django.utils import timezone

from audit import ledger
from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_choices
from devices.inventory import locks
from devices.inventory.models import Device
from tests.southbound.client import until
from tests.southbound.management import managed

__all__ = ["managed", "standing", "take", "taken"]


def standing(gateway: Device) -> dict[str, str]:
    """Device ID -> prefix, of what the gateway tells of now."""
    rows = EndDevice.objects.filter(gateway=gateway, gone_at=None)
    return dict(rows.values_list("identifier", "prefix"))


async def told(gateway: Device, count: int) -> dict[str, str]:
    """Wait until the portal knows so many."""
    await until(lambda: len(standing(gateway)) == count)
    return await until(lambda: standing(gateway))


def take(gateway: Device, identifier: str) -> Device:
    """The end device as a device of the gateway's owner."""
    with ledger.unit_of_work():
        locked = locks.device(gateway.pk)
        rows = end_device_choices.on_offer(locked, [identifier])
        (device,) = end_device_choices.take(gateway=locked, rows=rows, now=timezone.now())
    Device.objects.filter(pk=device.pk).update(ownership="claimed", provisioning="applied")
    device.refresh_from_db()
    return device


async def taken(gateway: Device, identifier: str) -> Device:
    """The same, once the gateway told of it."""
    rows = EndDevice.objects.filter(gateway=gateway, identifier=identifier, gone_at=None)
    await until(rows.exists)
    return await until(lambda: take(gateway, identifier))

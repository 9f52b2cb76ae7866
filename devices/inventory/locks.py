"""Locking devices, which everything that changes a device does first; the order is in `audit.locks`."""

from __future__ import annotations

from collections.abc import Iterable

from audit.locks import rows
from devices.inventory.models import Device

__all__ = ["device", "device_with_operator", "devices", "owner", "rows"]


def device(device_id: int) -> Device:
    """This one. Raises `Device.DoesNotExist`."""
    found: Device = rows(Device.objects.all()).get(pk=device_id)
    return found


def device_with_operator(device_id: int) -> Device:
    """The same with its operator, who is not locked."""
    found: Device = rows(Device.objects.select_related("operator")).get(pk=device_id)
    return found


def devices(device_ids: Iterable[int]) -> dict[int, Device]:
    """Those of them that there are, by id and in its order."""
    found = rows(Device.objects.filter(pk__in=set(device_ids)).order_by("pk"))
    return {one.pk: one for one in found}


def owner(**condition: object) -> Device | None:
    """The device that something belongs to: `owner(commands=7)`."""
    return rows(Device.objects.filter(**condition)).first()

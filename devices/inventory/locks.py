"""Locking devices, which everything that changes a device does first; the order is in `audit.locks`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from audit import ledger
from audit.locks import rows
from devices.inventory.models import Device

__all__ = ["device", "device_with_children", "device_with_operator", "devices", "named_by", "owner", "rows"]


def device(device_id: int) -> Device:
    """This one. Raises `Device.DoesNotExist`."""
    found: Device = rows(Device.objects.all()).get(pk=device_id)
    return found


def device_with_operator(device_id: int) -> Device:
    """The same with its operator, who is not locked."""
    found: Device = rows(Device.objects.select_related("operator")).get(pk=device_id)
    return found


def device_with_children(device_id: int) -> Device:
    """This one; those behind a gateway are locked with it, for what ends it ends their way. Raises `DoesNotExist`."""
    children = Device.objects.filter(via_id=device_id).order_by().values_list("pk", flat=True)
    found = named_by({device_id, *children}, again=lambda: set(children.all()))
    if device_id not in found:
        raise Device.DoesNotExist
    return found[device_id]


def devices(device_ids: Iterable[int]) -> dict[int, Device]:
    """Those of them that there are, by id and in its order."""
    found = rows(Device.objects.filter(pk__in=set(device_ids)).order_by("pk"))
    return {one.pk: one for one in found}


def owner(**condition: object) -> Device | None:
    """The device that something belongs to: `owner(commands=7)`."""
    return rows(Device.objects.filter(**condition)).first()


def named_by(ids: set[int], *, again: Callable[[], set[int]]) -> dict[int, Device]:
    """Devices that other rows name, like those behind a gateway: `again` says which, once these are locked.

    Who waited for a lock may find that it takes more by now: it lets go and takes all of them in their order. In the
    caller's unit of work, which keeps them.
    """
    while True:
        try:
            with ledger.unit_of_work():
                found = devices(ids)
                if late := again() - ids:
                    raise _Late
                return found
        except _Late:
            ids |= late


class _Late(Exception):
    """Leaves a savepoint, and with it the locks that were taken since."""

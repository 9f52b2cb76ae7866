"""The way to devices behind gateways, kept with the devices: all that writes `Device.via`, `prefix` and `gone_at`.

`EndDevice` is what a gateway says; what follows from it for a device that somebody has stands with the device, where
the rooms below find it. Callers have locked the devices (`devices.gateways.services.route_locks`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from devices.gateways.models import EndDevice
from devices.inventory.models import Device
from devices.registry.services import registration_details


def lead(*, gateway: Device, device_ids: Collection[int]) -> None:
    """These are reached through the gateway, as its entries say. Three statements, however many they are."""
    if not device_ids:
        return
    rows = Device.objects.filter(pk__in=device_ids)
    # Two devices may have exchanged their prefixes: none holds its old one while the new ones are written.
    rows.filter(via=gateway, gone_at=None).update(via=None, prefix="")
    said = EndDevice.objects.filter(device_id=OuterRef("pk")).order_by().values("prefix")[:1]
    rows.update(via=gateway, prefix=Subquery(said), gone_at=None)


def describe(entries: Iterable[EndDevice]) -> None:
    """The objects of the devices of these entries are those that the gateway tells."""
    registration_details.told({row.device_id: row.object_links for row in entries if row.device_id})


def entries_gone(entries: QuerySet[EndDevice], *, cause: str, now: datetime) -> None:
    """Those of these that stand are told of no more; until when they were is kept with them."""
    gateway = Device.objects.filter(pk=OuterRef("gateway_id")).order_by()
    whole = Coalesce(Subquery(gateway.values("end_devices_read_at")[:1]), "read_at")
    entries.filter(gone_at=None).update(gone_at=now, gone_cause=cause, read_at=Greatest("read_at", whole))


def gone(*, device_ids: Collection[int], now: datetime) -> None:
    """Their gateway tells of them no more, or is no more."""
    if device_ids:
        Device.objects.filter(pk__in=device_ids, via__isnull=False, gone_at=None).update(gone_at=now)


def forget(*, device_ids: Collection[int]) -> None:
    """The ways to these and through them; a prefix is a word of the gateway's."""
    rows = Device.objects.filter(Q(pk__in=device_ids) | Q(via__in=device_ids)).exclude(via=None)
    rows.update(via=None, prefix="", gone_at=None)


def end(*, device: Device) -> None:
    """No gateway leads to the device any more: it was removed."""
    Device.objects.filter(pk=device.pk).exclude(via=None).update(via=None, prefix="", gone_at=None)
    device.via, device.prefix, device.gone_at = None, "", None


def read(*, gateway: Device, now: datetime) -> None:
    """The gateway's whole list was read: the ways through it hold for its present registration."""
    Device.objects.filter(pk=gateway.pk).update(end_devices_read_at=now)
    gateway.end_devices_read_at = now


def by_prefix(pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int | None]:
    """(gateway id, prefix) -> device id, None for one that nobody took; what is missing is not known."""
    wanted = set(pairs)
    living = Device.objects.living()
    known: dict[tuple[int, str], int | None] = {}
    for rows, gateway, device in (
        (living.order_by(), "via_id", "pk"),
        (EndDevice.objects.filter(device=None).order_by(), "gateway_id", "device_id"),
    ):
        left = wanted - known.keys()
        if left:
            ways = {f"{gateway}__in": {pk for pk, _ in left}, "prefix__in": {prefix for _, prefix in left}}
            said = rows.filter(gone_at=None, **ways).values_list(gateway, "prefix", device)
            known |= {(pk, prefix): device_id for pk, prefix, device_id in said if (pk, prefix) in left}
    return known

"""What people do with the end devices that gateways tell of: take them, leave them, let them or their gateway go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Greatest

from audit import ledger
from audit.actions import Action
from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_history, parked_reports, routes
from devices.inventory import events, locks, security
from devices.inventory.models import Device, Onboarding, Reach
from devices.inventory.states import Access, Ownership


def on_offer(gateway: Device, identifiers: Collection[str] | None) -> list[EndDevice]:
    """Those of these that nobody has taken, locked; None: all that were not dismissed."""
    rows = locks.rows(EndDevice.objects).filter(gateway=gateway, device=None, gone_at=None)
    rows = rows.filter(is_dismissed=False) if identifiers is None else rows.filter(identifier__in=identifiers)
    return list(rows.order_by("pk"))


def take(*, gateway: Device, rows: Sequence[EndDevice], now: datetime) -> list[Device]:
    """Devices of the gateway's owner in place of these locked entries; their names are free. Few statements."""
    owner = Ownership.CLAIMED if gateway.subscriber_id else Ownership.UNCLAIMED
    mode = security.of_reach(Reach.GATEWAY)[0]
    devices = Device.objects.bulk_create(
        Device(
            operator_id=gateway.operator_id,
            subscriber_id=gateway.subscriber_id,
            endpoint=row.identifier,
            reach=Reach.GATEWAY,
            onboarding=Onboarding.DIRECT,
            security=mode.name,
            ownership=owner,
            via=gateway,
            prefix=row.prefix,
            created_at=now,
        )
        for row in rows
    )
    for row, device in zip(rows, devices, strict=True):
        row.device, row.is_dismissed = device, False
    EndDevice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["gateway", "identifier"],
        update_fields=["device", "is_dismissed"],
    )
    routes.describe(rows)
    ledger.record_many([end_device_history.added(device, gateway) for device in devices])
    end_device_history.chosen(
        Action.GATEWAY_TOOK, gateway, count=len(rows), names=[row.identifier for row in rows]
    )
    events.devices_changed([(gateway.pk, gateway.operator_id)], ["end_devices"])
    return devices


def dismiss(*, gateway: Device, identifiers: Collection[str], is_dismissed: bool = True) -> int:
    """Do not offer these any more, or offer them again; returns how many that changed."""
    with ledger.unit_of_work():
        locked = locks.device(gateway.pk)
        rows = EndDevice.objects.filter(gateway=locked, device=None, identifier__in=identifiers)
        names = list(rows.exclude(is_dismissed=is_dismissed).values_list("identifier", flat=True))
        if names:
            EndDevice.objects.filter(gateway=locked, identifier__in=names).update(is_dismissed=is_dismissed)
            action = Action.GATEWAY_DISMISSED if is_dismissed else Action.GATEWAY_OFFERED_AGAIN
            end_device_history.chosen(action, locked, count=len(names), names=names)
            events.device_changed(locked.pk, locked.operator_id, ["end_devices"])
    return len(names)


def released(*, device: Device, now: datetime) -> None:
    """A device was removed: an end device is on offer no more, behind a gateway everything is gone."""
    with ledger.unit_of_work():
        rows: QuerySet[EndDevice] = EndDevice.objects.filter(device=device)
        for gateway_id, operator_id in rows.values_list("gateway_id", "gateway__operator_id"):
            events.device_changed(gateway_id, operator_id, ["end_devices"])
        rows.update(device=None, is_dismissed=True)
        routes.end(device=device)
        if device.reach != Reach.GATEWAY:
            lose(gateway=device, cause="GATEWAY_REMOVED", now=now)


def adopt(*, device: Device, now: datetime) -> EndDevice | None:
    """A device that was just added: the entry of a gateway of the same owner that told of it last, if any."""
    with ledger.unit_of_work():
        rows = locks.rows(EndDevice.objects).filter(
            identifier=device.endpoint,
            device=None,
            gateway__operator_id=device.operator_id,
            gateway__subscriber_id=device.subscriber_id,  # type: ignore[misc]  # None is one too: nobody
        )
        living = rows.exclude(gateway__access=Access.RETIRED).select_related("gateway")
        last = Greatest("read_at", Coalesce("gateway__end_devices_read_at", "read_at"))
        row = living.filter(gone_at=None).order_by(last.desc(), "-pk").first()
        if row is None:
            return None
        row.device, row.is_dismissed = device, False
        row.save(update_fields=["device", "is_dismissed"])
        routes.lead(gateway=row.gateway, device_ids=[device.pk])
        routes.describe([row])
        device.via, device.prefix, device.gone_at = row.gateway, row.prefix, None
        ledger.record_many(
            [end_device_history.changed(Action.END_DEVICE_ADOPTED, device, row.gateway, now=now)]
        )
        events.device_changed(row.gateway_id, row.gateway.operator_id, ["end_devices"])
    return row


def lose(*, gateway: Device, cause: str, now: datetime) -> int:
    """The gateway itself is gone for good: so is everything it told of. The devices stay, for another gateway.

    Who has locked devices already has locked those behind it with them: `locks.device_with_children`.
    """
    with ledger.unit_of_work():
        locks.device_with_children(gateway.pk)
        rows = locks.rows(EndDevice.objects).filter(gateway=gateway, gone_at=None)
        gone = list(rows.select_related("device").order_by("pk"))
        taken = [row.device for row in gone if row.device is not None]
        left = EndDevice.objects.filter(pk__in=[row.pk for row in gone])
        routes.entries_gone(left, cause=cause, now=now)
        routes.gone(device_ids=[device.pk for device in taken], now=now)
        parked_reports.drop(gateway=gateway)
        ledger.record_many(
            [
                end_device_history.changed(Action.END_DEVICE_GONE, device, gateway, cause=cause, now=now)
                for device in taken
            ]
        )
        events.devices_changed([(device.pk, device.operator_id) for device in taken], ["end_devices"])
    return len(gone)

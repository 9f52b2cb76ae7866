"""What gateways tell of the end devices behind them, written down: found, changed, gone, back, moved, adopted.

`told` may be called with the same reading twice and changes nothing then. Lock order: the gateway's device row, its
end devices, then what values are written. No row of another device is locked: whose a device is does not change here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit import ledger
from audit.actions import Action
from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_history, parked_reports
from devices.gateways.services.end_device_reading import Instance, Resources, usable
from devices.inventory import events, locks
from devices.inventory.models import Device, Plane, Reach
from devices.inventory.states import Provisioning
from devices.registry import events as registry_events
from devices.registry.services import knocks
from devices.registry.services.knocks import KnockSeen
from devices.telemetry.services.values import Sample

PROBLEMS_TOLD = 20
"""Of one reading, so many oddities are counted in the waiting room."""
_COLUMNS = ["instance", "prefix", "object_links", "device", "read_at", "gone_at", "gone_cause"]


@dataclass(slots=True)
class Told:
    """What a reading changed. `samples` are values that waited for it; the caller writes them with its own."""

    found: int = 0
    changed: int = 0
    gone: int = 0
    back: int = 0
    adopted: int = 0
    moved: int = 0
    samples: Sequence[Sample] = ()
    history: list[ledger.Event] = field(default_factory=list)
    touched: dict[int, Device] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        names = ("found", "changed", "gone", "back", "adopted", "moved")
        return {name: getattr(self, name) for name in names}


def told(*, gateway: Device, instances: Resources, is_whole: bool, now: datetime) -> Told:
    """Take in a reading of object 25; with `is_whole` what it leaves out is gone.

    In the caller's transaction or its own. Bounded in statements, whatever the number of instances.
    """
    with ledger.unit_of_work():
        locked = locks.device(gateway.pk)
        rows = locks.rows(EndDevice.objects).filter(gateway=locked)
        known = list(rows.select_related("device").order_by("pk"))
        by_number = {row.instance: _said(row) for row in known if row.gone_at is None}
        found, problems = usable(instances, by_number)
        result = Told()
        _depart(locked, known, found, is_whole, result, now)
        _arrive(locked, known, found, result, now)
        if is_whole:
            EndDevice.objects.filter(gateway=locked, gone_at=None).exclude(read_at=now).update(read_at=now)
        _count(locked, problems, "END_DEVICE_UNREADABLE", now)
        result.samples = parked_reports.resolve(gateway=locked, is_final=is_whole, now=now)
        _tell(locked, result, now)
    return result


def _said(row: EndDevice) -> Instance:
    return Instance(row.instance, row.identifier, row.prefix, row.object_links)


def _depart(
    gateway: Device,
    known: list[EndDevice],
    found: list[Instance],
    is_whole: bool,
    result: Told,
    now: datetime,
) -> None:
    """Those that are not told of any more, or whose instance or prefix now belongs to another."""
    names = {one.identifier for one in found}
    numbers = {one.number for one in found}
    prefixes = {one.prefix for one in found}
    gone = [
        row
        for row in known
        if row.gone_at is None
        and row.identifier not in names
        and (is_whole or row.instance in numbers or row.prefix in prefixes)
    ]
    for row in gone:
        row.gone_at, row.gone_cause = now, "END_DEVICE_GONE"
        if row.device is not None:
            _note(result, Action.END_DEVICE_GONE, row.device, gateway, now, cause="END_DEVICE_GONE")
    EndDevice.objects.filter(pk__in=[row.pk for row in gone]).update(
        gone_at=now, gone_cause="END_DEVICE_GONE"
    )
    result.gone = len(gone)


def _arrive(
    gateway: Device, known: list[EndDevice], found: list[Instance], result: Told, now: datetime
) -> None:
    rows = {row.identifier: row for row in known}
    unlinked = [
        one.identifier
        for one in found
        if one.identifier not in rows or rows[one.identifier].device_id is None
    ]
    owned = _owned(gateway, unlinked, result, now)
    writes: list[EndDevice] = []
    rerouted: list[int] = []
    for one in found:
        row = rows.get(one.identifier)
        device = owned.get(one.identifier)
        if row is None:
            row = EndDevice(gateway=gateway, identifier=one.identifier, found_at=now)
            result.found += 1
        elif _is_as_told(row, one) and device is None:
            continue
        else:
            rerouted += [row.pk] if row.prefix != one.prefix and row.gone_at is None else []
            _changed(row, one, gateway, result, now)
        row.instance, row.prefix, row.object_links = one.number, one.prefix, dict(one.object_links)
        row.device = device or row.device
        row.gone_at, row.gone_cause, row.read_at = None, "", now
        writes.append(row)
    # Two devices may have exchanged their prefixes: none holds its old one while the new ones are written.
    EndDevice.objects.filter(pk__in=rerouted).update(gone_at=now)
    EndDevice.objects.bulk_create(
        writes, update_conflicts=True, unique_fields=["gateway", "identifier"], update_fields=_COLUMNS
    )


def _is_as_told(row: EndDevice, one: Instance) -> bool:
    said = (row.instance, row.prefix, row.object_links)
    return row.gone_at is None and said == (one.number, one.prefix, one.object_links)


def _changed(row: EndDevice, one: Instance, gateway: Device, result: Told, now: datetime) -> None:
    if row.gone_at is not None:
        result.back += 1
        if row.device is not None:
            _note(result, Action.END_DEVICE_BACK, row.device, gateway, now)
    elif not _is_as_told(row, one):
        result.changed += 1
        if row.device is not None and row.prefix != one.prefix:
            before, after = {"prefix": row.prefix}, {"prefix": one.prefix}
            _note(result, Action.END_DEVICE_ROUTED, row.device, gateway, now, before=before, after=after)
        elif row.device is not None:
            result.touched[row.device.pk] = row.device


def _owned(gateway: Device, identifiers: list[str], result: Told, now: datetime) -> dict[str, Device]:
    """Identifier -> the device that this row is from now on: one announced, or one another gateway told of."""
    living = Device.objects.filter(endpoint__in=identifiers).living()
    devices = {device.endpoint: device for device in living.order_by("pk")}
    if not devices:
        return {}
    ids = [device.pk for device in devices.values()]
    elsewhere = locks.rows(EndDevice.objects).filter(device_id__in=ids)
    last = {row.device_id: row for row in elsewhere.select_related("gateway").order_by("pk")}
    owned, left, foreign = {}, [], []
    for name, device in devices.items():
        if not is_adoptable(device, gateway):
            foreign.append(device)
            continue
        owned[name] = device
        before = last.get(device.pk)
        if before is None:
            result.adopted += 1
            _note(result, Action.END_DEVICE_ADOPTED, device, gateway, now)
        else:
            left.append(before.pk)
            result.moved += 1
            gateways = {"gateway": before.gateway.endpoint}, {"gateway": gateway.endpoint}
            cause = "END_DEVICE_MOVED"
            _note(
                result,
                Action.END_DEVICE_MOVED,
                device,
                gateway,
                now,
                cause=cause,
                before=gateways[0],
                after=gateways[1],
            )
    EndDevice.objects.filter(pk__in=left, gone_at=None).update(gone_at=now)
    EndDevice.objects.filter(pk__in=left).update(device=None, gone_cause="END_DEVICE_MOVED")
    _count(gateway, [device.endpoint for device in foreign], "END_DEVICE_ELSEWHERE", now)
    return owned


def is_adoptable(device: Device, gateway: Device) -> bool:
    """The same owner, and added as a device behind a gateway."""
    return device.reach == Reach.GATEWAY and (device.operator_id, device.subscriber_id) == (
        gateway.operator_id,
        gateway.subscriber_id,
    )


def heard(device_ids: Iterable[int], *, now: datetime) -> None:
    """Values of these came; in the caller's transaction, before the values are written."""
    rows = locks.rows(EndDevice.objects).filter(device_id__in=set(device_ids))
    ids = [row.pk for row in rows.only("pk").order_by("pk")]
    if ids:
        EndDevice.objects.filter(pk__in=ids).update(last_heard_at=now)


def _note(
    result: Told,
    action: Action,
    device: Device,
    gateway: Device,
    now: datetime,
    *,
    cause: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    result.touched[device.pk] = device
    result.history.append(
        end_device_history.changed(action, device, gateway, now=now, cause=cause, before=before, after=after)
    )


def _count(gateway: Device, said: list[str], cause: str, now: datetime) -> None:
    """In the waiting room, tied to the gateway: a row for its kind, not one for each."""
    if said:
        detail = "; ".join(said[:PROBLEMS_TOLD])
        seen = KnockSeen(Plane.MANAGEMENT, cause, gateway.endpoint, "", detail, gateway.pk, len(said))
        knocks.count(knocks=[seen], now=now)


def _tell(gateway: Device, result: Told, now: datetime) -> None:
    if any(result.counts.values()):
        ledger.record_many([end_device_history.told(gateway, result.counts, now=now), *result.history])
        changed = {gateway.pk: gateway.operator_id}
        changed |= {device.pk: device.operator_id for device in result.touched.values()}
        events.devices_changed(changed.items(), ["end_devices"])
    spoke = dict.fromkeys((sample.device_id, gateway.operator_id) for sample in result.samples)
    events.devices_changed(spoke, ["values"])
    due = [d.pk for d in result.touched.values() if d.provisioning != Provisioning.APPLIED]
    registry_events.HEARD.tell(due)

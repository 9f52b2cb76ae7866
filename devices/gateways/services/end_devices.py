"""What gateways tell of the end devices behind them, written down: found, changed, gone, back, moved, adopted.

`told` may be called with the same reading twice and changes nothing then. Lock order: the gateway together with the
devices whose way may change (`route_locks`), their entries, then what values are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from audit import ledger
from audit.actions import Action
from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_history, parked_reports, route_locks, routes
from devices.gateways.services.end_device_reading import Instance, Resources, usable
from devices.gateways.services.route_locks import Reading
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

    In the caller's transaction or its own; who has locked devices already has locked whom this concerns with
    them (`route_locks.lock`). Bounded in statements, whatever the number of instances.
    """
    with ledger.unit_of_work():
        held = route_locks.lock({gateway.pk}, [Reading(gateway, instances, is_whole)])
        locked = held[gateway.pk]
        entries = locks.rows(EndDevice.objects).filter(Q(gateway=locked) | Q(device_id__in=list(held)))
        rows = list(entries.select_related("device").order_by("pk"))
        known = [row for row in rows if row.gateway_id == locked.pk]
        elsewhere = {row.device_id: row.pk for row in rows if row.gateway_id != locked.pk and row.device_id}
        by_number = {row.instance: _said(row) for row in known if row.gone_at is None}
        found, problems = usable(instances, by_number)
        result = Told()
        _depart(locked, known, found, is_whole, result, now)
        _arrive(locked, known, found, _owned(locked, known, found, held, elsewhere, result, now), result, now)
        if is_whole:
            routes.read(gateway=locked, now=now)
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
    left = EndDevice.objects.filter(pk__in=[row.pk for row in gone])
    routes.entries_gone(left, cause="END_DEVICE_GONE", now=now)
    routes.gone(device_ids=[row.device_id for row in gone if row.device_id], now=now)
    result.gone = len(gone)


def _arrive(
    gateway: Device,
    known: list[EndDevice],
    found: list[Instance],
    owned: Mapping[str, Device],
    result: Told,
    now: datetime,
) -> None:
    """`owned`: identifier -> the device that its entry is from now on."""
    rows = {row.identifier: row for row in known}
    writes: list[EndDevice] = []
    rerouted: list[int] = []
    led: list[int] = []
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
        is_led_anew = device is not None or row.gone_at is not None or row.prefix != one.prefix
        row.instance, row.prefix, row.object_links = one.number, one.prefix, dict(one.object_links)
        row.device = device or row.device
        row.gone_at, row.gone_cause, row.read_at = None, "", now
        writes.append(row)
        led += [row.device.pk] if row.device is not None and is_led_anew else []
    # Two devices may have exchanged their prefixes: none holds its old one while the new ones are written.
    EndDevice.objects.filter(pk__in=rerouted).update(gone_at=now)
    EndDevice.objects.bulk_create(
        writes, update_conflicts=True, unique_fields=["gateway", "identifier"], update_fields=_COLUMNS
    )
    routes.lead(gateway=gateway, device_ids=led)
    routes.describe(writes)


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


def _owned(
    gateway: Device,
    known: list[EndDevice],
    found: list[Instance],
    held: Mapping[int, Device],
    elsewhere: Mapping[int, int],
    result: Told,
    now: datetime,
) -> dict[str, Device]:
    """Identifier -> the device that its entry is from now on: one announced, or one another gateway told of.

    `held` are the locked devices, `elsewhere` says of those behind other gateways which entry there is theirs.
    """
    taken = {row.identifier for row in known if row.device_id is not None}
    names = [one.identifier for one in found if one.identifier not in taken]
    living = Device.objects.filter(endpoint__in=names).living()
    devices = list(living.select_related("via").order_by("pk")) if names else []
    owned = {one.endpoint: one for one in devices if one.pk in held and is_adoptable(one, gateway)}
    for device in owned.values():
        if device.via is None:
            result.adopted += 1
            _note(result, Action.END_DEVICE_ADOPTED, device, gateway, now)
        else:
            result.moved += 1
            gateways = {"gateway": device.via.endpoint}, {"gateway": gateway.endpoint}
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
    left = [elsewhere[device.pk] for device in owned.values() if device.pk in elsewhere]
    entries = EndDevice.objects.filter(pk__in=left)
    routes.entries_gone(entries, cause="END_DEVICE_MOVED", now=now)
    entries.update(device=None, gone_cause="END_DEVICE_MOVED")
    foreign = [one.endpoint for one in devices if not is_adoptable(one, gateway)]
    _count(gateway, foreign, "END_DEVICE_ELSEWHERE", now)
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

"""Values that devices reported: the latest of each resource, and history, stored in bulk with their own time.

`store` is meant for the group commit: one statement for hundreds of samples on PostgreSQL, rows locked in the order
of (device, path), no model instances. A sample that comes late goes into history and leaves a newer latest
value alone (R-21).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from devices.inventory import secrecy, sql
from devices.inventory.models import Device
from devices.inventory.secrecy import Secrets
from devices.telemetry import value_rows
from devices.telemetry.models import ResourceValue, ValueKind
from devices.telemetry.value_rows import Row
from lwm2m.nodes import Node, ObjectLinkValue, Value, absolute_time

__all__ = ["Sample", "absent", "samples", "store"]

FUTURE_SECONDS = 3600.0
"""A clock that is further ahead is wrong; its values get the time at which they came."""
TEXT_LIMIT = 16_384
LIMIT = 10_000
"""So many resources of a device have a value, beside those of object 25."""
END_DEVICES_LIMIT = 65_536
"""So many of object 25: a gateway has at most 16,384 end devices with four resources each."""
_END_DEVICES = "/25/"
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one resource or resource instance; `at` in seconds since 1970, kept to the millisecond."""

    device_id: int
    path: str
    value: Value
    at: float


def samples(*, device_id: int, nodes: Iterable[Node], received_at: float) -> list[Sample]:
    """The device's own values among decoded nodes, each at its own time; what has no place is left out."""
    return [
        Sample(device_id, str(node.path), node.value, absolute_time(node.time, received_at))
        for node in nodes
        if node.path.depth >= 3 and not node.prefix
    ]


def store(
    *, samples: Sequence[Sample], now: datetime, operators: Mapping[int, int] | None = None
) -> dict[int, set[str]]:
    """Write these in the caller's transaction. The devices exist.

    Of two samples of one resource at one time the later in the sequence counts. `operators` are those of the
    devices, whose object models tell what is secret; without it they are looked up. Returns the paths that were not
    known and for which a device has no room (`LIMIT`), by device: they are not kept, known ones are.
    """
    if not samples:
        return {}
    if operators is None:
        found = Device.objects.filter(pk__in={sample.device_id for sample in samples})
        operators = dict(found.values_list("pk", "operator_id"))
    met = {operators.get(sample.device_id) for sample in samples}
    secrets = {operator_id: secrecy.of_operator(operator_id) for operator_id in met}
    received_at = now.timestamp()
    latest_allowed = received_at + FUTURE_SECONDS
    rows: dict[tuple[int, str, float], Row] = {}
    for sample in samples:
        at = int((sample.at if 0.0 <= sample.at <= latest_allowed else received_at) * 1000) / 1000
        key = (sample.device_id, sample.path, at)
        rows[key] = (*key, *_columns(sample, secrets[operators.get(sample.device_id)]))
    ordered = [rows[key] for key in sorted(rows)]
    new = value_rows.write(ordered, now=now)
    return _without_room(new) if new else {}


def _without_room(new: Sequence[tuple[int, str]]) -> dict[int, set[str]]:
    """What a batch added beyond the limit of its device is taken away again; most batches add nothing.

    First what has no value any more makes room, such as that of a deleted instance.
    """
    full = _full({device_id for device_id, _ in new})
    if full and ResourceValue.objects.filter(device_id__in=full, kind=ValueKind.EMPTY).delete()[0]:
        full = _full(full)
    refused: dict[int, set[str]] = {}
    for device_id, is_full in full.items():
        paths = {path for pk, path in new if pk == device_id and is_full[path.startswith(_END_DEVICES)]}
        if paths:
            refused[device_id] = paths
            for part in sql.parts(sorted(paths)):
                ResourceValue.objects.filter(device_id=device_id, path__in=part).delete()
    return refused


def _full(device_ids: Collection[int]) -> dict[int, dict[bool, bool]]:
    """Of these the devices over a limit: whether in their own resources (False) or in those of object 25 (True)."""
    told = Q(path__startswith=_END_DEVICES)
    counted = ResourceValue.objects.filter(device_id__in=device_ids).values("device_id")
    over = counted.annotate(own=Count("pk", filter=~told), told=Count("pk", filter=told)).filter(
        Q(own__gt=LIMIT) | Q(told__gt=END_DEVICES_LIMIT)
    )
    return {
        device_id: {False: own > LIMIT, True: of_end_devices > END_DEVICES_LIMIT}
        for device_id, own, of_end_devices in over.values_list("device_id", "own", "told")
    }


def absent(*, path: str, seen: Mapping[int, Collection[str]], now: datetime) -> int:
    """Devices (by id) answered a whole `path` and said only what is `seen`: what else was known has no value."""
    rows = ResourceValue.objects.filter(device_id__in=seen, at__lte=now).exclude(kind=ValueKind.EMPTY)
    known = rows.filter(Q(path=path) | Q(path__startswith=f"{path}/"))
    ids = [
        pk
        for pk, device_id, name in known.values_list("pk", "device_id", "path")
        if name not in seen[device_id]
    ]
    if not ids:
        return 0
    empty = {"kind": ValueKind.EMPTY, "number": None, "text": None, "at": now, "received_at": now}
    return ResourceValue.objects.filter(pk__in=sorted(ids)).update(**empty)


def _columns(sample: Sample, secrets: Secrets) -> tuple[str, float | None, str | None]:
    value = sample.value
    if value is None:
        return ("e", None, None)
    if sample.path in secrets:
        return ("h", None, None)
    kind = type(value)
    if kind is float:
        return ("n", value, None) if math.isfinite(value) else ("t", None, str(value))  # type: ignore[arg-type, return-value]
    if kind is bool:
        return ("b", float(value), None)  # type: ignore[arg-type]
    if kind is int:
        return ("i", float(value), None if -_EXACT <= value <= _EXACT else str(value))  # type: ignore[arg-type, operator]
    if isinstance(value, str):
        return ("t", None, value[:TEXT_LIMIT].replace("\x00", "\N{REPLACEMENT CHARACTER}"))
    if isinstance(value, ObjectLinkValue):
        return ("l", None, str(value))
    assert isinstance(value, bytes)
    return ("o", None, base64.b64encode(value[: TEXT_LIMIT // 4 * 3]).decode())

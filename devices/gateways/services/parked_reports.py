"""Values a gateway sent for a prefix that nobody knows yet: kept until its object 25 was read, then stored or dropped.

A Send may arrive before /25 was read; it is answered 2.04 either way, for the device cannot do anything about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from devices.gateways.models import EndDevice, ParkedReport
from devices.inventory.models import Device, Plane
from devices.registry.services import knocks
from devices.registry.services.knocks import KnockSeen
from devices.telemetry.services.value_json import from_json, to_json
from devices.telemetry.services.values import Sample

LIMIT = 64
"""So many reports of one gateway wait; more are dropped and counted."""
NODES_LIMIT = 500
PREFIX_LIMIT = 64
KEPT = timedelta(hours=1)
UNKNOWN = "END_DEVICE_UNKNOWN"

Reported = Mapping[str, Sequence[Sample]]
"""Prefix -> values, whose device id is not known yet and counts for nothing."""


def park(*, gateway_id: int, reported: Reported, now: datetime) -> int:
    """Keep these, in the caller's transaction; returns how many there was no room for."""
    room = LIMIT - ParkedReport.objects.filter(gateway_id=gateway_id).count()
    fitting = [(prefix, samples) for prefix, samples in reported.items() if len(prefix) <= PREFIX_LIMIT]
    ParkedReport.objects.bulk_create(
        ParkedReport(
            gateway_id=gateway_id,
            prefix=prefix,
            nodes=[[one.path, to_json(one.value), one.at] for one in samples[:NODES_LIMIT]],
            received_at=now,
        )
        for prefix, samples in fitting[: max(0, room)]
    )
    return len(reported) - min(len(fitting), max(0, room))


def resolve(*, gateway: Device, is_final: bool, now: datetime) -> list[Sample]:
    """What can be told apart now, as values to store; with `is_final` the rest is dropped and counted."""
    rows = list(ParkedReport.objects.filter(gateway=gateway).order_by("pk"))
    if not rows:
        return []
    known = dict(
        EndDevice.objects.filter(
            gateway=gateway, gone_at=None, prefix__in={row.prefix for row in rows}
        ).values_list("prefix", "device_id")
    )
    done = [row for row in rows if is_final or row.prefix in known]
    ParkedReport.objects.filter(pk__in=[row.pk for row in done]).delete()
    count_unknown(gateway, Counter(row.prefix for row in done if row.prefix not in known), now=now)
    return [
        Sample(device_id, path, from_json(value), at)
        for row in done
        if (device_id := known.get(row.prefix)) is not None
        for path, value, at in row.nodes
    ]


def drop(*, gateway: Device) -> None:
    ParkedReport.objects.filter(gateway=gateway).delete()


def drop_old(*, now: datetime) -> int:
    """Those of gateways that could not be read for long; counted like the rest that nobody knows."""
    old = list(ParkedReport.objects.filter(received_at__lt=now - KEPT).select_related("gateway")[:1000])
    by_gateway: dict[int, Counter[str]] = {}
    for row in old:
        by_gateway.setdefault(row.gateway_id, Counter())[row.prefix] += 1
    gateways = {row.gateway_id: row.gateway for row in old}
    for gateway_id, counted in by_gateway.items():
        count_unknown(gateways[gateway_id], counted, now=now)
    ParkedReport.objects.filter(pk__in=[row.pk for row in old]).delete()
    return len(old)


def count_unknown(gateway: Device, prefixes: Counter[str], *, now: datetime) -> None:
    """In the waiting room, with the prefixes that nobody knows."""
    if not prefixes:
        return
    detail = "Prefixes: " + " ".join(sorted(prefixes)[:20])
    seen = KnockSeen(Plane.MANAGEMENT, UNKNOWN, gateway.endpoint, "", detail, gateway.pk, prefixes.total())
    knocks.count(knocks=[seen], now=now)


def waiting() -> list[int]:
    """The gateways for whom something waits."""
    return list(ParkedReport.objects.values_list("gateway_id", flat=True).order_by().distinct())

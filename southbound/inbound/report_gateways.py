"""What gateways report of the devices behind them: told apart by prefix, kept for later where a prefix is not known.

Called by the group commit of reports, which has locked the devices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from devices.gateways.services import end_device_asks, end_devices, parked_reports, routes
from devices.gateways.services.route_locks import Reading
from devices.inventory.models import Device
from devices.telemetry.services.values import Sample
from southbound.inbound.report_verdicts import Verdict

Pairs = Mapping[tuple[int, str], Sequence[Sample]]


def stored(verdicts: Sequence[Verdict], told: Sequence[Reading], *, now: datetime) -> list[Sample]:
    """The values of end devices to be written, those that waited for a reading of object 25 included.

    The caller has locked whom the readings concern.
    """
    samples: list[Sample] = []
    for one in told:
        samples += end_devices.told(
            gateway=one.gateway, instances=one.instances, is_whole=one.is_whole, now=now
        ).samples
    reported: dict[tuple[int, str], list[Sample]] = {}
    for verdict in verdicts:
        for prefix, said in verdict.behind.items():
            assert verdict.device_id is not None
            reported.setdefault((verdict.device_id, prefix), []).extend(said)
    if reported:
        samples += _known(reported, now)
    own = [one.device_id for v in verdicts for one in v.samples if one.device_id != v.device_id]
    if ids := {one.device_id for one in samples} | set(own):
        end_devices.heard(ids, now=now)
    return samples


def readings(verdicts: Sequence[Verdict]) -> list[Reading]:
    """What of these is about object 25."""
    told = [(v.device_id, v.end_devices) for v in verdicts if v.end_devices is not None]
    gateways = Device.objects.in_bulk([pk for pk, _ in told]) if told else {}
    return [Reading(gateways[pk], said.instances, said.is_whole) for pk, said in told if pk in gateways]


def _known(reported: Pairs, now: datetime) -> list[Sample]:
    known = routes.by_prefix(reported)
    unknown: dict[int, dict[str, Sequence[Sample]]] = {}
    samples: list[Sample] = []
    for (gateway_id, prefix), said in reported.items():
        if (gateway_id, prefix) not in known:
            unknown.setdefault(gateway_id, {})[prefix] = said
        elif (device_id := known[gateway_id, prefix]) is not None:
            samples += [Sample(device_id, one.path, one.value, one.at) for one in said]
    for gateway in Device.objects.filter(pk__in=unknown).order_by("pk"):
        _park(gateway, unknown[gateway.pk], now)
    return samples


def _park(gateway: Device, unknown: Mapping[str, Sequence[Sample]], now: datetime) -> None:
    """Not known to us yet, or to the gateway itself: it is read, and what it tells decides."""
    reason = "Values came for devices that are not known yet."
    dropped = parked_reports.park(gateway_id=gateway.pk, reported=unknown, now=now)
    if dropped:
        parked_reports.count_unknown(gateway, Counter(list(unknown)[-dropped:]), now=now)
    end_device_asks.ask_again(gateway_ids=[gateway.pk], now=now, reason=reason)

"""What gateways report of the devices behind them: told apart by prefix, kept for later where a prefix is not known.

Called by the group commit of reports, before anything of the batch is locked but what is locked here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from devices.gateways.services import end_device_asks, end_devices, parked_reports
from devices.inventory.models import Device
from devices.registry.selectors import ways
from devices.telemetry.services.values import Sample
from southbound.inbound.report_verdicts import Verdict

Pairs = Mapping[tuple[int, str], Sequence[Sample]]


def stored(verdicts: Sequence[Verdict], *, now: datetime) -> list[Sample]:
    """The values of end devices to be written, those that waited for a reading of object 25 included."""
    samples = _told(verdicts, now)
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


def _told(verdicts: Sequence[Verdict], now: datetime) -> list[Sample]:
    """Notifications of object 25; the gateways are locked in order of their ids, as everywhere."""
    telling = [verdict for verdict in verdicts if verdict.end_devices is not None]
    gateways = Device.objects.in_bulk([v.device_id for v in telling])
    samples: list[Sample] = []
    for verdict in sorted(telling, key=lambda v: v.device_id or 0):
        assert verdict.device_id is not None
        assert verdict.end_devices is not None
        if (gateway := gateways.get(verdict.device_id)) is not None:
            said = verdict.end_devices
            samples += end_devices.told(
                gateway=gateway, instances=said.instances, is_whole=said.is_whole, now=now
            ).samples
    return samples


def _known(reported: Pairs, now: datetime) -> list[Sample]:
    known = ways.by_prefix(reported)
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

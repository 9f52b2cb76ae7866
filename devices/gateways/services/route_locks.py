"""Which devices a reading of object 25 may change: all of them are locked at once, by ascending ids, before any is.

Entries of a gateway are written under the gateway's lock or under that of the device whose entry it is. So a device
that moves is locked with both its gateways, and two gateways that exchange devices wait for each other at their rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from devices.commands.models import Command
from devices.commands.outcomes import Done, Outcome
from devices.gateways.models import EndDevice
from devices.gateways.services import end_device_reading
from devices.gateways.services.end_device_reading import IDENTIFIER, PATH, PREFIX, Resources
from devices.inventory import locks
from devices.inventory.models import Device, Reach


@dataclass(frozen=True, slots=True)
class Reading:
    """What a gateway says in object 25; with `is_whole` what it leaves out is gone."""

    gateway: Device
    instances: Resources
    is_whole: bool

    @property
    def prefixes(self) -> dict[str, str]:
        """By name, as far as both are said; what is no name and no prefix hurts nobody here."""
        return {_text(one, IDENTIFIER): _text(one, PREFIX).strip("/ ") for one in self.instances.values()}


def answers(outcomes: Iterable[tuple[int, Outcome]]) -> list[Reading]:
    """What these outcomes of commands, by the ids of the commands, say in object 25."""
    told = {pk: said for pk, one in outcomes if isinstance(one, Done) and (said := _told(one.answer))}
    if not told:
        return []
    return [
        Reading(command.device, told[command.pk], command.path == PATH)
        for command in Command.objects.filter(pk__in=told).select_related("device")
        if f"{command.path}/".startswith(f"{PATH}/")
    ]


def lock(device_ids: Set[int], readings: Sequence[Reading]) -> dict[int, Device]:
    """These devices and whom the readings concern, locked together, by id; in the caller's unit of work.

    Those are the gateways, their devices whose way may change, those that may come to them, and whom these leave. More
    than will change does no harm.
    """
    if not readings:
        return locks.devices(device_ids)
    ids = {*device_ids, *(reading.gateway.pk for reading in readings)}
    for reading in readings:
        entries = _entries(reading.gateway)
        ids |= _changed(reading, entries) | _coming(reading, {entry.identifier for entry in entries})
    return locks.named_by(
        ids, again=lambda: {pk for one in readings for pk in _changed(one, _entries(one.gateway))}
    )


class _Entry(NamedTuple):
    device_id: int
    instance: int
    identifier: str
    prefix: str
    gone_at: datetime | None


def _entries(gateway: Device) -> list[_Entry]:
    """Of the devices that somebody has."""
    rows = EndDevice.objects.filter(gateway=gateway, device__isnull=False).order_by()
    return [_Entry(*row) for row in rows.values_list(*_Entry._fields)]


def _changed(reading: Reading, entries: Iterable[_Entry]) -> set[int]:
    told, prefixes = reading.prefixes, set(reading.prefixes.values())

    def is_other(one: _Entry) -> bool:
        if reading.is_whole and one.identifier in told:
            return one.gone_at is not None or told[one.identifier] != one.prefix
        is_said = one.instance in reading.instances or one.prefix in prefixes or one.identifier in told
        return is_said or reading.is_whole

    return {one.device_id for one in entries if is_other(one)}


def _coming(reading: Reading, known: Set[str]) -> set[int]:
    rows = Device.objects.filter(
        endpoint__in=[name for name in reading.prefixes.keys() - known if name.isprintable()],
        reach=Reach.GATEWAY,
        operator_id=reading.gateway.operator_id,
        subscriber_id=reading.gateway.subscriber_id,  # type: ignore[misc]  # None is one too: nobody
    )
    found = rows.living().order_by().values_list("pk", "via_id")
    return {pk for pair in found for pk in pair if pk is not None}


def _text(said: Mapping[int, Any], resource: int) -> str:
    return str(said.get(resource, "")).strip()


def _told(answer: object) -> Resources:
    nodes = answer.get("nodes") if isinstance(answer, Mapping) else None
    return end_device_reading.of_nodes(nodes or ())

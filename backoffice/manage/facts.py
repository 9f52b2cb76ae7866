"""Everything the page tells, read in a handful of queries whose number does not depend on the device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone

from devices.commands.models import Command
from devices.inventory.models import Device
from devices.observations.models import Observation
from devices.observations.selectors import observations
from devices.packages.models import Package
from devices.packages.services import packages
from devices.registry.models import Registration, RegistrationDetail
from devices.registry.selectors import device_models, present, verdict, ways
from devices.registry.selectors.present import Present
from devices.registry.selectors.verdict import Verdict
from devices.telemetry.models import ResourceValue, TraceMessage
from devices.telemetry.selectors import values
from lwm2m.links import ObjectLinks
from lwm2m.objects import Catalogue

VALUES = 5_000
OPEN = 100
ENDED = 12
MESSAGES = 200
PACKAGES = 20


@dataclass(frozen=True)
class Facts:
    """One device at one moment; each list is read when it is first asked for."""

    device: Device
    now: datetime

    @cached_property
    def registration(self) -> Registration | None:
        return ways.registration(self.device)

    @cached_property
    def standing(self) -> Present:
        """As on every other page and list."""
        refusals = present.refusals([self.device], self.now)
        return present.of(self.device, self.now, refusals.get(self.device.pk))

    @cached_property
    def verdict(self) -> Verdict | None:
        return verdict.of(self.device, self.standing, self.now)

    @cached_property
    def detail(self) -> RegistrationDetail | None:
        return ways.registration_detail(self.device)

    @cached_property
    def links(self) -> ObjectLinks | None:
        return device_models.object_links(self.detail)

    @cached_property
    def catalogue(self) -> Catalogue:
        return device_models.catalogue(self.device, self.detail)

    @cached_property
    def values(self) -> list[ResourceValue]:
        return list(values.of_device(self.device)[:VALUES])

    @cached_property
    def observations(self) -> list[Observation]:
        return list(observations.wanted(self.device))

    @cached_property
    def packages(self) -> list[tuple[str, str]]:
        """What the device could fetch: an address for it alone, and the package's name. Empty where none is served."""
        rows = Package.objects.filter(operator_id=self.device.operator_id).order_by("-pk")[:PACKAGES]
        return [(uri, row.name) for row in rows if (uri := packages.uri(row, self.device)) is not None]

    @cached_property
    def open_commands(self) -> list[Command]:
        """Those under way and waiting, in the order in which they leave."""
        waiting = self.device.commands.open()
        return list(waiting.order_by("-state", "-priority", "pk")[:OPEN])

    @cached_property
    def ended_commands(self) -> list[Command]:
        return list(self.device.commands.ended().order_by("-pk")[:ENDED])

    @cached_property
    def messages(self) -> list[TraceMessage]:
        return list(self.device.trace.order_by("-number")[:MESSAGES])


def of(device: Device, now: datetime | None = None) -> Facts:
    """`device` comes from a queryset of devices that this person may see."""
    return Facts(device, now or timezone.now())


def rows(devices: Any) -> Any:
    """A queryset of devices with what the facts need joined in."""
    return devices.select_related("operator", "subscriber", *ways.PRESENCE)

"""What is behind a gateway, as lists show it: on offer, taken, left, gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from devices.gateways.models import EndDevice
from devices.inventory.models import Device
from devices.registry.selectors import present
from devices.registry.selectors.present import Present

SHOW = {"offered": _("On offer"), "taken": _("Taken"), "left": _("Left out"), "gone": _("Gone")}
_OFFERED = Q(device=None, gone_at=None, is_dismissed=False)
_LEFT = Q(device=None, gone_at=None, is_dismissed=True)
_TAKEN = Q(device__isnull=False)
_GONE = Q(device=None, gone_at__isnull=False)
_CONDITIONS = {"offered": _OFFERED, "taken": _TAKEN, "left": _LEFT, "gone": _GONE}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each. `is_gateway`: it tells, or told, of anything at all."""

    offered: int
    taken: int
    left: int
    gone: int

    @property
    def is_gateway(self) -> bool:
        return bool(self.offered or self.taken or self.left or self.gone)

    def of(self, show: str) -> int:
        return int(getattr(self, show))


@dataclass(frozen=True, slots=True)
class Child:
    """A line of the list; `session` of those that somebody has taken."""

    row: EndDevice
    session: Present | None


def condition(show: str) -> Q:
    """`show` is a key of SHOW."""
    return _CONDITIONS[show]


def counts(gateway: Device) -> Counts:
    """One statement."""
    found = EndDevice.objects.filter(gateway=gateway).aggregate(
        **{name: Count("pk", filter=condition) for name, condition in _CONDITIONS.items()}
    )
    return Counts(**found)


def listed(gateway: Device, show: str, text: str = "") -> QuerySet[EndDevice]:
    """In the order of the gateway's own list; `show` is a key of SHOW."""
    rows = EndDevice.objects.filter(_CONDITIONS[show], gateway=gateway)
    for word in text.split()[:5]:
        rows = rows.filter(Q(identifier__icontains=word) | Q(device__name__icontains=word))
    return rows.select_related("device").order_by("instance", "pk")


def child(row: EndDevice, gateway: Device, now: datetime) -> Child:
    """`gateway` has `ways.PRESENCE` and its operator selected, so that a page of children costs no query for each."""
    device = row.device
    if device is None:
        return Child(row, None)
    row.gateway = gateway
    device.via = gateway
    device.operator = gateway.operator  # the same
    return Child(row, present.of(device, now))

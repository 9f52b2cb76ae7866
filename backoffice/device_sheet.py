"""What the page of one device shows beneath its own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext

from devices.gateways.selectors import end_devices
from devices.inventory.models import Device, Reach
from devices.registry.models import RegistrationDetail
from devices.registry.selectors import device_models, present, verdict, ways
from lwm2m.paths import Path

COMMANDS = 10
KNOCKS = 10
CHILDREN = 20
INSTANCES = 20


@dataclass(frozen=True, slots=True)
class ObjectRow:
    path: str
    name: str
    version: str
    instances: str


def device_facts(device: Device, user: Any) -> dict[str, Any]:
    """The registration, the objects, the credentials (never a key), the last commands and knocks."""
    now: datetime = timezone.now()
    registration, detail = ways.registration(device), ways.registration_detail(device)
    standing = present.of(device, now, present.refusals([device], now).get(device.pk))
    facts: dict[str, Any] = {
        "device": device,
        "registration": registration,
        "detail": detail,
        "session": standing,
        "verdict": verdict.of(device, standing, now),
        "gateway": ways.gateway(device) if device.reach == Reach.GATEWAY else None,
        "behind": behind(device, now),
        "objects": object_rows(device, detail),
        "commands": device.commands.order_by("-id")[:COMMANDS],
        "knocks": device.knocks.order_by("-last_at")[:KNOCKS],
        "timeline_url": _timeline(device) if user.has_perm("inventory.view_device", device) else "",
    }
    if user.has_perm("inventory.view_credential", device) or user.is_superuser:
        facts["credentials"] = device.credentials.order_by("plane", "-id")
    return facts


def behind(device: Device, now: datetime) -> dict[str, Any]:
    """The first of the devices behind a gateway, and how many there are of each kind."""
    counts = end_devices.counts(device)
    rows = end_devices.listed(device, "taken")[:CHILDREN] if counts.taken else []
    return {"counts": counts, "children": [end_devices.child(row, device, now) for row in rows]}


def object_rows(device: Device, detail: RegistrationDetail | None) -> list[ObjectRow]:
    links = device_models.object_links(detail)
    catalogue = device_models.catalogue(device, detail)
    return [
        ObjectRow(
            f"/{number}",
            catalogue.name(Path.parse(f"/{number}")),
            link.version or "",
            _few(link.instances) or "none",
        )
        for number, link in sorted(links.objects.items() if links else ())
    ]


def _few(instances: Sequence[int]) -> str:
    """A gateway may have thousands of them."""
    first = ", ".join(str(one) for one in instances[:INSTANCES])
    return (
        gettext("%(first)s and %(INSTANCES)s more")
        % {"first": first, "INSTANCES": format(len(instances) - INSTANCES, ",")}
        if len(instances) > INSTANCES
        else first
    )


def _timeline(device: Device) -> str:
    try:
        return reverse("support-device", args=[device.pk])
    except NoReverseMatch:  # the support desk is another room; without it there is no link
        return ""

"""What an operator's profile wants observed of a device: wishes, which outlive registrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from accounts.errors import Refused
from devices.inventory.models import Device
from devices.observations.services import observations
from devices.registry.selectors import device_models, ways
from lwm2m.links import ObjectLinks
from lwm2m.paths import Path
from provisioning.models import BootstrapProfile


def want(
    *,
    device: Device,
    profile: BootstrapProfile,
    arguments: Mapping[str, Any],
    correlation: str,
    now: datetime,
) -> tuple[list[str], list[str]]:
    """The paths wished for, and what the portal itself refused to wish for. Only what the device has is wanted."""
    links = device_models.object_links(ways.fresh_detail(device))
    wanted: list[str] = []
    refused: list[str] = []
    for path in _present(profile.observes, links) if links else ():
        try:
            observations.want(
                device=device,
                path=path,
                arguments=arguments,
                wanted_by=f"profile:{profile.pk}",
                reason=f"Profile {profile.name}"[:200],
                now=now,
                correlation=correlation,
            )
        except Refused as refusal:
            refused.append(f"{path}: {refusal.recorded}")
        else:
            wanted.append(path)
    return wanted, refused


def _present(names: list[str], links: ObjectLinks) -> Iterator[str]:
    """Of the profile's paths those that the device has."""
    for name in names:
        path = Path.parse(name)
        known = path.object_id in links.objects
        if known and (path.depth == 1 or links.has_instance(path)):
            yield name

"""The object models by which one device's paths are read: its own versions of the objects it announced."""

from __future__ import annotations

from devices.inventory import object_models
from devices.inventory.models import Device
from devices.registry import stored_links
from devices.registry.models import RegistrationDetail
from lwm2m.links import ObjectLinks
from lwm2m.objects import Catalogue


def object_links(detail: RegistrationDetail | None) -> ObjectLinks | None:
    """What the device said it has at its last registration; None where it never said anything that can be read."""
    return stored_links.read(detail.object_links, device_id=detail.device_id) if detail else None


def catalogue(device: Device, detail: RegistrationDetail | None) -> Catalogue:
    """The models as this device means them, those that its operator loaded included."""
    known = object_models.catalogue(device.operator_id)
    links = object_links(detail)
    if detail is None or links is None:
        return known
    announced = {object_id: link.version for object_id, link in links.objects.items()}
    return known.for_device(announced, detail.version)

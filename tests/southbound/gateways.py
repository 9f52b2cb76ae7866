"""A virtual gateway that is registered with a running southbound, and children that somebody has taken."""

from __future__ import annotations

from devices.gateways.models import EndDevice
from devices.inventory.models import Device, Reach
from tests.southbound.client import until
from tests.southbound.management import managed

__all__ = ["managed", "standing", "take", "taken"]


def standing(gateway: Device) -> dict[str, str]:
    """Device ID -> prefix, of what the gateway tells of now."""
    rows = EndDevice.objects.filter(gateway=gateway, gone_at=None)
    return dict(rows.values_list("identifier", "prefix"))


async def told(gateway: Device, count: int) -> dict[str, str]:
    """Wait until the portal knows so many."""
    await until(lambda: len(standing(gateway)) == count)
    return await until(lambda: standing(gateway))


def take(gateway: Device, identifier: str) -> Device:
    """The end device as a device of the gateway's owner."""
    row = EndDevice.objects.select_related("gateway").get(gateway=gateway, identifier=identifier)
    row.device = Device.objects.create(
        operator=gateway.operator,
        subscriber=gateway.subscriber,
        endpoint=identifier,
        reach=Reach.GATEWAY,
        onboarding="direct",
        security="none",
        ownership="claimed",
        provisioning="applied",
    )
    row.save(update_fields=["device"])
    return row.device


async def taken(gateway: Device, identifier: str) -> Device:
    """The same, once the gateway told of it."""
    rows = EndDevice.objects.filter(gateway=gateway, identifier=identifier, gone_at=None)
    await until(rows.exists)
    return await until(lambda: take(gateway, identifier))
